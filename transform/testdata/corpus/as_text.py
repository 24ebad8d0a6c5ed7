# mode: pandas
# outputs: o:STRING r:STRING z:STRING q2:STRING
def as_text(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].astype(str)
    df["r"] = inputs["x"].astype(str)
    df["z"] = inputs["s"].astype(str)
    df["q2"] = inputs["p"].astype(str)
    return df
