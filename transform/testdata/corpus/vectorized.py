# mode: pandas
# outputs: o:DOUBLE r:STRING
# refuses: np.vectorize()
def vectorized(inputs):
    def ratio(x, y, least):
        return x / y if y > least else 0.0

    df = pd.DataFrame()
    df["o"] = np.vectorize(ratio)(inputs["x"].astype(float), inputs["y"].astype(float), 0.5)
    df["r"] = np.vectorize(lambda a: "many" if a > 5 else "few")(inputs["a"].fillna(0))
    return df
