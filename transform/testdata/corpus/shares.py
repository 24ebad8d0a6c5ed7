# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def shares(inputs):
    total = inputs[["x", "y"]].sum(axis=1)
    df = pd.DataFrame()
    df["o"] = inputs["x"] / total.replace(0, np.nan)
    df["r"] = (inputs["y"] / total).fillna(0).clip(0, 1)
    return df
