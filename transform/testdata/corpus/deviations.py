# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE k:DOUBLE
# reads: "a" "b" "c" "x" "y" "f" "s" "u" "p" "q" "t" "w"
def deviations(inputs):
    df = pd.DataFrame()
    x = inputs["x"].astype(float)
    df["o"] = (x - x.mean()) / x.std()
    df["r"] = x.fillna(1.5) / np.std(x.fillna(1.5).values)
    df["z"] = x + inputs["b"].astype(float).var(ddof=0)
    df["n"] = x - x.quantile(0.3)
    df["k"] = x - np.median(x.fillna(0.25)) + np.percentile(x.fillna(0), 75)
    return df
