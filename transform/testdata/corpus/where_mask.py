# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:INT64 n:INT64
def where_mask(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].where(inputs["x"] > 0, 0.0)
    df["r"] = inputs["x"].mask(inputs["y"] > 0)
    df["z"] = inputs["a"].where(inputs["a"] > 0, 0)
    df["n"] = inputs["a"].where(inputs["a"] > 1)
    return df
