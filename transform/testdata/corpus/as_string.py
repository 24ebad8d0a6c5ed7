# mode: pandas
# outputs: o:STRING r:STRING z:STRING n:STRING k:STRING
def as_string(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].astype("string")
    df["r"] = inputs["a"].astype("string").fillna("none")
    df["z"] = inputs["u"].fillna("?").astype("string").astype(str)
    df["n"] = inputs["x"].astype("string")
    df["k"] = inputs["s"].str[:1].astype("string").astype(str)
    return df
