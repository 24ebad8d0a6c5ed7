# mode: pandas
# outputs: o:INT64 r:INT64 z:INT64 n:DOUBLE
def time_more(inputs):
    df = pd.DataFrame()
    t = inputs["t"].dt.tz_localize(None)
    df["o"] = t.dt.day * 100 + t.dt.minute
    df["r"] = t.dt.dayofyear
    df["z"] = t.dt.days_in_month
    df["n"] = (t - t.dt.normalize()).dt.total_seconds()
    return df
