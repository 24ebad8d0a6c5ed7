# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE k:DOUBLE
def deviations_across(inputs):
    df = pd.DataFrame()
    m = inputs[["a", "b", "c"]].astype(float).astype(float)
    m["d"] = inputs["x"].astype(float)
    m["e"] = inputs["y"].astype(float)
    names = ["a", "b", "c", "d", "e"]
    df["o"] = m[names].std(axis=1)
    df["r"] = m.var(axis=1, ddof=0)
    n = inputs[["a", "b"]].fillna(1).astype("int64")
    df["z"] = n.std(axis=1)
    df["n"] = m.assign(f=m["a"], g=m["b"] * 3, h=m["e"] - 1)[["a", "b", "c", "d", "e", "f", "g", "h"]].std(axis=1)
    df["k"] = (m["a"] - m.mean(axis=1)) / m.std(axis=1)
    return df
