# mode: pandas
# refuses: not supported
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE
def times_of_texts(inputs):
    df = pd.DataFrame()
    day = "2024-02-" + inputs["c"].fillna(7).clip(10, 29).astype(int).astype(str)
    df["o"] = pd.to_datetime(day).dt.dayofyear
    some = day.where(inputs["x"] > 1, "unknown")
    some = some.where(inputs["a"] < 5, None)
    df["r"] = pd.to_datetime(some, errors="coerce").dt.day
    df["z"] = pd.to_datetime(day + " 03:04:05", format="%Y-%m-%d %H:%M:%S", utc=True).dt.second
    df["n"] = pd.to_datetime(some, format="%Y-%m-%d", errors="coerce").fillna(pd.Timestamp("2020-01-01")).dt.year
    return df
