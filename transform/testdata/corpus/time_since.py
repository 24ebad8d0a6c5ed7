# mode: pandas
# outputs: o:DOUBLE r:INT64
def time_since(inputs):
    df = pd.DataFrame()
    df["o"] = (inputs["t"] - pd.Timestamp("2020-01-01", tz="UTC")).dt.total_seconds() / 3600
    df["r"] = inputs["t"].dt.quarter * 10
    return df
