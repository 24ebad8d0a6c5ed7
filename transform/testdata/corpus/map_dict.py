# mode: pandas
# outputs: o:INT64 r:DOUBLE z:STRING
def map_dict(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].map({"NY": 1, "abc": 2})
    df["r"] = inputs["a"].map({0: 0.5, 1: 1.5, 2: 2.5})
    df["z"] = inputs["s"].map({"NY": "New York"}).fillna("other")
    return df
