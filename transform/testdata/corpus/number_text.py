# mode: pandas
# outputs: o:STRING
def number_text(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].fillna("") + ":" + inputs["a"].astype(str)
    return df
