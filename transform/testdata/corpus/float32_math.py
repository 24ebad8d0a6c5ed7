# mode: pandas
# outputs: o:FLOAT r:FLOAT z:BOOL
def float32_math(inputs):
    f = inputs["x"].astype("float32")
    df = pd.DataFrame()
    df["o"] = f * 2 + 0.1
    df["r"] = f / inputs["f"].astype("float32")
    df["z"] = f > 0.1
    return df
