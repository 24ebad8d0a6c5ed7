# mode: pandas
# outputs: o:INT64 r:DOUBLE z:DOUBLE
def clip(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].clip(0, 10)
    df["r"] = inputs["x"].clip(lower=0.0)
    df["z"] = inputs["x"].clip(upper=1)
    return df
