# mode: pandas
# outputs: o:STRING r:STRING z:STRING
def text_parts(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].str[:2]
    df["r"] = inputs["s"].str.replace("b", "-")
    df["z"] = inputs["u"].str.split(" ").str[0]
    return df
