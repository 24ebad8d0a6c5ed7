# mode: pandas
# outputs: o:DOUBLE
def constants_if(inputs):
    limit = 100
    names = ["x", "y"]
    df = pd.DataFrame()
    total = inputs["a"] * 0.0
    for n in names:
        total = total + inputs[n].fillna(0)
    df["o"] = total if limit > 10 else inputs["x"]
    return df
