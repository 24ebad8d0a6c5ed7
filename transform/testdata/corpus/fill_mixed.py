# mode: pandas
# outputs: o:STRING r:DOUBLE z:STRING
def fill_mixed(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].fillna("none")
    df["r"] = inputs["p"].fillna(0)
    df["z"] = inputs["s"].fillna(0)
    return df
