# mode: pandas
# outputs: o:BOOL r:BOOL
def is_in(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].isin([1, 2, 3])
    df["r"] = ~inputs["x"].isin([0.0, 1.5])
    return df
