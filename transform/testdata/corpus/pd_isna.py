# mode: pandas
# outputs: o:BOOL r:INT64
def pd_isna(inputs):
    df = pd.DataFrame()
    df["o"] = pd.isna(inputs["s"]) | pd.isnull(inputs["x"])
    df["r"] = pd.notna(inputs["a"]).astype("int64")
    return df
