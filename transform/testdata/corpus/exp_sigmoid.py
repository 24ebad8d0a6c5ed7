# mode: pandas
# ulp: 2
# outputs: o:DOUBLE r:DOUBLE
def exp_sigmoid(inputs):
    df = pd.DataFrame()
    z = inputs["x"].astype("float64")
    df["o"] = 1 / (1 + np.exp(-z))
    df["r"] = np.expm1(z / 100)
    return df
