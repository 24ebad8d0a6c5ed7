# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def rounding(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].round(2)
    df["r"] = inputs["x"].round()
    df["z"] = np.round(inputs["y"], 1)
    return df
