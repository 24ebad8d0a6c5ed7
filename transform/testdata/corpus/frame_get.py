# mode: pandas
# outputs: o:INT64 r:DOUBLE z:STRING
def frame_get(inputs):
    x = inputs.get("x")
    none = inputs.get("no_such_column")
    print("rows", len(inputs), inputs["a"])
    df = inputs[[]].copy()
    df["o"] = inputs.get("b", 5)
    df["r"] = x * inputs.get("other", 2.0) if none is None else 0.0
    df["z"] = inputs.get("s", default="")
    return df
