# mode: pandas
# outputs: o:INT64 r:INT64
def text_len(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].str.len()
    df["r"] = inputs["s"].fillna("").str.len()
    return df
