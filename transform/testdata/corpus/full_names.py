# mode: pandas
# outputs: o:INT64
def full_names(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["v__a"] + inputs["b"]
    return df
