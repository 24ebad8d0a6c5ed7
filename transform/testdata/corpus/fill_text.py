# mode: pandas
# outputs: o:STRING r:STRING
def fill_text(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].fillna("unknown")
    df["r"] = inputs["s"].fillna("??") + ", " + inputs["u"].fillna("?")
    return df
