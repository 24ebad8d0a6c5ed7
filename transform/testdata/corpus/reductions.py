# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:INT64
def reductions(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"] - inputs["x"].mean()
    df["r"] = inputs["x"] / inputs["x"].max()
    df["z"] = inputs["b"].fillna(0) * len(inputs)
    return df
