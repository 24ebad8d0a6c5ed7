# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:INT64 n:DOUBLE k:DOUBLE m:DOUBLE
# reads: "a" "b" "c" "x" "y" "f" "s" "u" "p" "q" "t" "w"
def matrix_rows(inputs):
    df = pd.DataFrame()
    m = inputs[["a", "x", "y"]].astype(float).assign(c=inputs["c"].astype(float))
    data = m.values
    df["o"] = np.sum(data, axis=1)
    df["r"] = np.var(data, axis=1)
    df["z"] = (np.sum(inputs[["a", "b"]].fillna(0).astype("int64").values, axis=1) > 10).astype(int)
    df["n"] = np.mean(m[["x", "y"]].values, axis=1) + data[:, 0] - data.std(axis=1)
    df["k"] = np.zeros(len(inputs)) + np.max(m.values, axis=1)
    df["m"] = np.full(len(inputs), 1.5) + np.ones(len(m), dtype=int) - np.median(m.values, axis=1)
    return df
