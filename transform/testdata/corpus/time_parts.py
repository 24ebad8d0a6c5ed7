# mode: pandas
# outputs: o:INT64 r:INT64 z:INT64 n:INT64
def time_parts(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["t"].dt.year
    df["r"] = inputs["t"].dt.month + 1
    df["z"] = inputs["t"].dt.dayofweek
    df["n"] = inputs["t"].dt.hour
    return df
