# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def fill_column(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].fillna(inputs["y"])
    df["r"] = inputs["a"].fillna(inputs["x"])
    return df
