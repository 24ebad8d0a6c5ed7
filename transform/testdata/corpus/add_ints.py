# mode: pandas
# outputs: o:INT64
def add_ints(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"] + inputs["b"]
    return df
