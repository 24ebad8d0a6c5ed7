# mode: pandas
# outputs: o:INT64 r:DOUBLE
def fill_numbers(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].fillna(0)
    df["r"] = inputs["x"].fillna(-1.5)
    return df
