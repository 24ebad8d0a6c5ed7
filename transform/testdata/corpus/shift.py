# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:INT64 n:STRING k:DOUBLE m:DOUBLE
def shift(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].astype(float).shift(1)
    df["r"] = inputs["a"].fillna(2).astype("int64").shift(-2)
    df["z"] = inputs["b"].fillna(2).astype("int64").shift(1, fill_value=7)
    df["n"] = inputs["s"].shift(1)
    df["k"] = inputs["x"].astype(float).diff()
    df["m"] = inputs["a"].fillna(2).astype("int64").diff(2)
    return df
