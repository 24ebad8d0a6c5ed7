# mode: pandas
# outputs: o:INT64 r:DOUBLE
def time_ints(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["t"].astype("int64") // 10**6
    df["r"] = (inputs["t"] + pd.to_timedelta(inputs["c"].fillna(0).astype(int).clip(-99, 99), unit="D") - inputs["w"]).dt.total_seconds()
    return df
