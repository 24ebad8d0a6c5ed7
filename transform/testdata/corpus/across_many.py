# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def across_many(inputs):
    wide = pd.DataFrame({
        "k0": inputs["x"] / 3, "k1": inputs["y"] * 0.1, "k2": inputs["a"] / 7, "k3": inputs["b"] / 9, "k4": inputs["c"] * 0.3, "k5": inputs["x"] * inputs["y"],
        "k6": inputs["a"] * 0.7, "k7": inputs["y"] - 0.1, "k8": inputs["x"] + 1e-3, "k9": inputs["b"] * 1.1,
    }).astype("float64")
    df = pd.DataFrame()
    df["o"] = wide.sum(axis=1)
    df["r"] = wide.mean(axis=1)
    return df
