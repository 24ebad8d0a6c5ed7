# mode: pandas
# outputs: o:INT64 r:DOUBLE t2:INT64
def bool_to_int(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["a"] > 1).astype(int)
    df["r"] = (inputs["x"] > 1).astype("float64") * 2
    df["t2"] = (inputs["a"] > 0).astype(int) + (inputs["b"] > 0).astype(int)
    return df
