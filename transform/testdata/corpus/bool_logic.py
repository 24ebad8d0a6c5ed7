# mode: pandas
# outputs: o:BOOL r:BOOL n:BOOL
def bool_logic(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["a"] > 0) & (inputs["x"] < 1)
    df["r"] = (inputs["a"] > 0) | ~(inputs["y"] < 1)
    df["n"] = (inputs["a"] > 0) ^ (inputs["b"] > 0)
    return df
