# mode: pandas
# outputs: o:INT64
def as_int(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].astype("int64")
    return df
