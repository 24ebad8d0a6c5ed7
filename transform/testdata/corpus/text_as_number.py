# mode: pandas
# outputs: o:DOUBLE
def text_as_number(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].astype("float64")
    return df
