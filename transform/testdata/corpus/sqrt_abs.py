# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def sqrt_abs(inputs):
    df = pd.DataFrame()
    df["o"] = np.sqrt(inputs["x"])
    df["r"] = np.sqrt(np.abs(inputs["a"]))
    df["z"] = np.sign(inputs["x"])
    return df
