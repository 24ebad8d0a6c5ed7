# mode: pandas
# outputs: o:DOUBLE r:STRING k:INT64
def frame_dict(inputs):
    return pd.DataFrame({"o": inputs["x"] + 1, "r": inputs["s"], "k": 7})
