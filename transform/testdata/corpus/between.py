# mode: pandas
# outputs: o:BOOL r:BOOL
def between(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].between(0, 10)
    df["r"] = inputs["x"].between(0.0, 1.0, inclusive="left")
    return df
