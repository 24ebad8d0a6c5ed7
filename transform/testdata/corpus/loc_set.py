# mode: pandas
# outputs: o:INT64 r:STRING
def loc_set(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].fillna(0).astype("int64")
    df.loc[df["o"] > 10, "o"] = 10
    df["r"] = "low"
    df.loc[df["o"] > 1, "r"] = "high"
    return df
