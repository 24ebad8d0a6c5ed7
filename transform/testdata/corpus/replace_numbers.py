# mode: pandas
# outputs: o:INT64 r:INT64
def replace_numbers(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].replace({"NY": 1, "abc": 0})
    df["r"] = inputs["a"].replace({1: 10, 2: 20})
    return df
