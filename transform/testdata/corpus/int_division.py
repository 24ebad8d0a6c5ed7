# mode: pandas
# outputs: q:DOUBLE d:INT64 m:INT64
def int_division(inputs):
    df = pd.DataFrame()
    df["q"] = inputs["a"] / inputs["b"]
    df["d"] = inputs["a"] // inputs["b"]
    df["m"] = inputs["a"] % inputs["b"]
    return df
