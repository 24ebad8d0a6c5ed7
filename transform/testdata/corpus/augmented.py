# mode: pandas
# outputs: o:DOUBLE
def augmented(inputs):
    total = inputs["x"].fillna(0)
    total += inputs["y"].fillna(0)
    total *= 2
    df = pd.DataFrame()
    df["o"] = total
    return df
