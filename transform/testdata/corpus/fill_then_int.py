# mode: pandas
# outputs: o:INT64
def fill_then_int(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["b"].fillna(0).astype("int64")
    return df
