# mode: pandas
# refuses: in the zone
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:STRING k:DOUBLE
def time_zones(inputs):
    df = pd.DataFrame()
    t = inputs["t"]
    ho = t.dt.tz_convert("Asia/Ho_Chi_Minh")
    df["o"] = ho.dt.hour
    df["r"] = t.dt.tz_convert("America/New_York").dt.dayofweek
    df["z"] = t.dt.tz_convert("Australia/Adelaide").dt.minute
    df["n"] = t.dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m-%d %H:%M")
    df["k"] = (t.dt.tz_convert("Asia/Seoul").dt.tz_localize(None) - pd.Timestamp("2020-01-01")).dt.total_seconds()
    return df
