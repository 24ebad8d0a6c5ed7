# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:STRING k:DOUBLE m:STRING
def replace_null(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"] / inputs["b"].replace(0, np.nan)
    df["r"] = (inputs["x"] / inputs["y"]).replace([np.inf, -np.inf, np.nan], 0)
    df["z"] = inputs["x"].replace(np.nan, 1.5)
    df["n"] = inputs["s"].replace(np.nan, "none").replace("a", None)
    df["k"] = inputs["f"].astype("float32").replace([np.inf, -np.inf], 0.1)
    df["m"] = inputs["u"].replace({np.nan: "missing", "NY": "New York"})
    return df
