# mode: pandas
# ulp: 2
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE
def log_powers(inputs):
    df = pd.DataFrame()
    x = inputs["x"].astype("float64")
    df["o"] = np.log10(x)
    df["r"] = np.log2(x)
    df["z"] = x ** 3
    df["n"] = 1.5 ** x
    return df
