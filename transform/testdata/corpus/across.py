# mode: pandas
# outputs: o:INT64 r:DOUBLE z:DOUBLE n:INT64
def across(inputs):
    df = pd.DataFrame()
    df["o"] = inputs[["a", "b"]].sum(axis=1)
    df["r"] = inputs[["x", "y", "a"]].mean(axis=1)
    df["z"] = inputs[["x", "y"]].max(axis=1)
    df["n"] = inputs[["a", "b", "c"]].min(axis=1)
    return df
