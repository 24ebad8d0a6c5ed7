# mode: pandas
# outputs: o:STRING r:DOUBLE z:DOUBLE
def replace_values(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].replace({"NY": "New York", "": "empty"})
    df["r"] = inputs["x"].replace([np.inf, -np.inf], 0.0)
    df["z"] = (inputs["x"] / inputs["y"]).replace(np.inf, np.nan)
    return df
