# mode: pandas
# outputs: o:DOUBLE r:INT64 z:DOUBLE
def min_max(inputs):
    df = pd.DataFrame()
    df["o"] = np.minimum(inputs["x"], inputs["y"])
    df["r"] = np.maximum(inputs["a"], 0)
    df["z"] = np.fmax(inputs["x"], inputs["y"])
    return df
