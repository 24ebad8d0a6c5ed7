# mode: pandas
# outputs: o:INT64 r:DOUBLE
def frame_from_dict(inputs):
    import logging
    from typing import Any
    return pd.DataFrame.from_dict({"o": inputs["b"], "r": inputs["x"] / 2})
