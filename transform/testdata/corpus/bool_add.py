# mode: pandas
# outputs: o:INT64 r:BOOL m:INT64
def bool_add(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["a"] > 1) + 1
    df["r"] = (inputs["a"] > 1) + (inputs["b"] > 1)
    df["m"] = (inputs["a"] > 1) * inputs["b"]
    return df
