# mode: pandas
# refuses: nanoseconds
# outputs: o:DOUBLE r:INT64 z:DOUBLE
def time_difference(inputs):
    d = inputs["t"] - inputs["w"]
    df = pd.DataFrame()
    df["o"] = d.dt.total_seconds()
    df["r"] = d.dt.days
    df["z"] = d / pd.Timedelta(days=1)
    return df
