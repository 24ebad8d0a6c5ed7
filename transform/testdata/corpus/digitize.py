# mode: pandas
# outputs: o:INT64 r:INT64 z:INT64 n:INT64
def digitize(inputs):
    df = pd.DataFrame()
    x = inputs["x"].astype(float)
    df["o"] = np.digitize(x, bins=[0, 1.5, 100])
    df["r"] = np.digitize(x, [0, 1.5, 100], right=True)
    df["z"] = np.searchsorted([-1, 0, 0, 5.5], x)
    df["n"] = np.searchsorted(np.array([0, 1, 7]), inputs["a"].astype(float), side="right")
    return df
