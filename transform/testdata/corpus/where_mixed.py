# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:INT64 n:DOUBLE
def where_mixed(inputs):
    df = pd.DataFrame()
    a = inputs["b"].fillna(0).astype("int64")
    df["o"] = a.where(a > 1, 0.5)
    df["r"] = a.where(a > 1, inputs["x"].fillna(0.25))
    df["z"] = a.where(a > 1, 2.0)
    df["n"] = inputs["x"].where(inputs["x"] > 0, a)
    return df
