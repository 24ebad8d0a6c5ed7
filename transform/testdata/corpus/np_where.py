# mode: pandas
# outputs: o:INT64 r:DOUBLE z:STRING
def np_where(inputs):
    df = pd.DataFrame()
    df["o"] = np.where(inputs["a"] > 1, 1, 0)
    df["r"] = np.where(inputs["x"] > 0, inputs["x"], 0)
    df["z"] = np.where(inputs["a"] > 1, "high", "low")
    return df
