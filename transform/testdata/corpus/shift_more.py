# mode: pandas
# outputs: o:DOUBLE r:BOOL z:DOUBLE
def shift_more(inputs):
    df = pd.DataFrame()
    df["r"] = inputs["p"].fillna(True).astype(bool).shift(-1)
    t = inputs["t"].shift(1)
    df["o"] = t.dt.day
    df["z"] = inputs["t"].diff().dt.total_seconds()
    return df
