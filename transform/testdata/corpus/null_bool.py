# mode: pandas
# outputs: o:INT64
def null_bool(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["p"].fillna(False).astype(bool).astype(int)
    return df
