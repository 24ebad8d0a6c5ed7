# mode: pandas
# outputs: o:INT64 r:DOUBLE z:BOOL
def time_days(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["t"] - inputs["w"]).dt.days.fillna(-1).astype(int)
    df["r"] = (inputs["t"] - inputs["w"]) / np.timedelta64(1, "D")
    df["z"] = inputs["t"].dt.dayofweek >= 5
    return df
