# mode: pandas
# outputs: o:DOUBLE
def attributes(inputs):
    df = pd.DataFrame()
    df["o"] = inputs.x * inputs.y
    return df
