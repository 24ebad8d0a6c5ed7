# mode: pandas
# outputs: o:BOOL r:BOOL i:INT64
def nulls(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].isna()
    df["r"] = inputs["s"].notnull()
    df["i"] = inputs["x"].isnull().astype(int)
    return df
