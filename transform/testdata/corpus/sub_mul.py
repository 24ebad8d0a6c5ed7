# mode: pandas
# outputs: o:DOUBLE r:INT64
def sub_mul(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["x"] - inputs["y"]) * 2
    df["r"] = inputs["a"] * inputs["b"] - 1
    return df
