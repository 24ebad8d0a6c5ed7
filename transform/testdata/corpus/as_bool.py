# mode: pandas
# outputs: o:BOOL r:BOOL z:BOOL
def as_bool(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["a"].astype(bool)
    df["r"] = inputs["x"].astype(bool)
    df["z"] = inputs["s"].astype(bool)
    return df
