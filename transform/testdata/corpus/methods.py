# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:BOOL n:DOUBLE
def methods(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].add(inputs["y"], fill_value=0)
    df["r"] = inputs["a"].div(inputs["b"])
    df["z"] = inputs["x"].gt(inputs["y"])
    df["n"] = inputs["x"].rsub(1)
    return df
