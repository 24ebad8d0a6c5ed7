# mode: pandas
# outputs: q:DOUBLE d:DOUBLE m:DOUBLE
def float_division(inputs):
    df = pd.DataFrame()
    df["q"] = inputs["x"] / inputs["y"]
    df["d"] = inputs["x"] // inputs["y"]
    df["m"] = inputs["x"] % inputs["y"]
    return df
