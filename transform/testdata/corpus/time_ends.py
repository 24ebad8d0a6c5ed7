# mode: pandas
# outputs: o:BOOL r:BOOL z:BOOL n:DOUBLE k:DOUBLE m:DOUBLE l:BOOL
def time_ends(inputs):
    df = pd.DataFrame()
    t, w = inputs["t"], inputs["w"]
    df["o"] = t.dt.is_month_end
    df["r"] = t.dt.is_month_start | w.dt.is_year_start
    df["z"] = t.dt.is_leap_year & ~w.dt.is_year_end
    df["n"] = (t - t.dt.floor("h")).dt.total_seconds()
    df["k"] = (w.dt.ceil("D") - w).dt.total_seconds()
    df["m"] = (t.dt.round("D") - t).dt.total_seconds()
    df["l"] = t.dt.floor("D") == t.dt.normalize()
    return df
