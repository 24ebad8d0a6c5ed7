# mode: pandas
# outputs: o:INT64 r:DOUBLE h:DOUBLE
def powers(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"] ** 2
    df["r"] = inputs["x"] ** 2
    df["h"] = inputs["x"] ** 0.5
    return df
