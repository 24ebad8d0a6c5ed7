# mode: pandas
# outputs: o:INT64 r:DOUBLE f2:DOUBLE
def mixed_widths(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["c"] + inputs["a"]
    df["r"] = inputs["c"] / 2
    df["f2"] = inputs["f"] * inputs["x"]
    return df
