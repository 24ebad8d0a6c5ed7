# mode: pandas
# outputs: o:STRING r:INT64 z:STRING n:STRING
def text_more(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["u"].str.zfill(4)
    df["r"] = inputs["s"].str.find("b")
    df["z"] = inputs["s"].str.get(0)
    df["n"] = inputs["s"].str.slice(1, 3)
    return df
