# mode: pandas
# outputs: o:DOUBLE r:INT64 z:DOUBLE n:INT64
def replace_types(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].replace({0: 0.5, 1: 7})
    df["r"] = inputs["p"].fillna(False).astype(bool).replace({True: 1, False: 0})
    df["z"] = inputs["c"].fillna(0).astype("int32").replace([0, -5], -1.5)
    df["n"] = inputs["b"].fillna(3).replace(3.0, 30)
    return df
