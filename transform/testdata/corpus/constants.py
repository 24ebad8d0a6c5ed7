# mode: pandas
# outputs: o:INT64 r:DOUBLE s2:DOUBLE d:INT64 m:INT64 n:INT64
def constants(inputs):
    df = pd.DataFrame()
    df["o"] = 10 - inputs["a"]
    df["r"] = 1 / inputs["a"]
    df["s2"] = inputs["a"] * 0.5
    df["d"] = inputs["a"] // 7
    df["m"] = inputs["a"] % -3
    df["n"] = 100 // inputs["b"]
    return df
