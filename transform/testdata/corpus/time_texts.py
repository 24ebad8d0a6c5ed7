# mode: pandas
# refuses: of the year
# outputs: o:STRING r:STRING z:STRING n:STRING k:STRING m:STRING
def time_texts(inputs):
    df = pd.DataFrame()
    t = inputs["t"]
    df["o"] = t.dt.strftime("%Y-%m-%d")
    df["r"] = t.dt.strftime("%d/%b/%y %H:%M:%S.%f %p %I %j")
    df["z"] = t.dt.strftime("%a %A %B %U %W %w %u %V %G %Z %z %e %% %F %T %-d %-m")
    df["n"] = t.dt.day_name() + t.dt.month_name()
    df["k"] = t.dt.tz_localize(None).dt.strftime("[%Z] %y%m%d")
    df["m"] = inputs["w"].dt.strftime("%H")
    return df
