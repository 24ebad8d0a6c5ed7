# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE k:DOUBLE
def times_of_numbers(inputs):
    df = pd.DataFrame()
    s = pd.to_datetime(inputs["a"].clip(-2000000000, 4000000000) , unit="s", utc=True)
    df["o"] = s.dt.hour
    df["r"] = (inputs["t"] - s).dt.total_seconds()
    df["z"] = pd.to_datetime(inputs["x"], unit="ms", errors="raise").dt.microsecond
    df["n"] = pd.to_datetime(inputs["c"], unit="D").dt.dayofweek
    df["k"] = pd.to_datetime(inputs["y"] * 1e5 + 0.123456789, unit="s").dt.microsecond
    return df
