# mode: pandas
# outputs: o:INT64 r:DOUBLE
def map_lambda(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].map(lambda v: 0 if v is None else len(v))
    df["r"] = inputs["x"].apply(lambda v: v * 2 if v > 0 else -1.0)
    return df
