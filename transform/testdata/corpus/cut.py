# mode: pandas
# outputs: o:STRING r:STRING z:INT64 n:STRING k:DOUBLE m:DOUBLE
def cut(inputs):
    df = pd.DataFrame()
    df["o"] = pd.cut(inputs["a"], bins=[-1, 2, 10, 50, float("inf")], labels=["new", "low", "medium", "high"]).astype(str)
    df["r"] = pd.cut(inputs["x"], [0, 1.5, 100], labels=["small", "large"], include_lowest=True)
    df["z"] = pd.cut(inputs["x"], [0, 1, 10, np.inf], labels=False, right=False).fillna(-1).astype(int)
    df["n"] = pd.cut(inputs["c"], bins=[0, 1, 40], labels=["a", "b"], right=False)
    df["k"] = pd.cut(inputs["y"], bins=[0, 1, 40], labels=[1, 2]).astype(float)
    df["m"] = pd.cut(inputs["b"], bins=(0, 1, 40), labels=False)
    return df
