# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def as_float(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].astype(float)
    df["r"] = inputs["p"].astype("float64")
    return df
