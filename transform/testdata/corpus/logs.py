# mode: pandas
# ulp: 4
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def logs(inputs):
    df = pd.DataFrame()
    df["o"] = np.log(inputs["x"])
    df["r"] = np.log1p(inputs["x"])
    df["z"] = np.exp(inputs["y"])
    return df
