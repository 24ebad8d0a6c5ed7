# mode: pandas
# outputs: o:DOUBLE r:INT64 z:DOUBLE
def whole_round(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].round(-2)
    df["r"] = np.rint(inputs["x"].fillna(0)).clip(-1000, 1000).astype("int64")
    df["z"] = inputs["f"].astype("float64").round(3)
    return df
