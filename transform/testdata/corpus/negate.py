# mode: pandas
# outputs: o:INT64 r:DOUBLE z:DOUBLE
def negate(inputs):
    df = pd.DataFrame()
    df["o"] = -inputs["a"]
    df["r"] = -inputs["x"]
    df["z"] = abs(inputs["x"])
    return df
