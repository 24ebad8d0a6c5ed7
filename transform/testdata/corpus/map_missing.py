# mode: pandas
# outputs: o:STRING r:BOOL z:INT64
def map_missing(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].map({1: "one", 2: "two"}).fillna("many")
    df["r"] = inputs["s"].map({"NY": True, "abc": False})
    df["z"] = inputs["s"].map({"NY": 1}).fillna(0).astype(int)
    return df
