# mode: pandas
# outputs: o:INT64 r:DOUBLE
def int_chain(inputs):
    df = pd.DataFrame()
    b = inputs["b"].fillna(1).astype("int64")
    df["o"] = (b * 31 + 7) % 1000 // 3 - b
    df["r"] = (b % 7) / (b // 1000 + 1)
    return df
