# mode: pandas
# outputs: o:STRING r:STRING
def map_functions(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].map(str)
    df["r"] = inputs["a"].apply(lambda v: "big" if v > 100 else "small")
    return df
