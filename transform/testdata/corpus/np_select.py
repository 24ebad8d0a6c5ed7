# mode: pandas
# outputs: o:INT64 r:STRING z:DOUBLE
def np_select(inputs):
    a = inputs["a"]
    df = pd.DataFrame()
    df["o"] = np.select([a < 0, a < 10], [-1, 1], default=2)
    df["r"] = np.select([a < 0, a < 10], ["neg", "small"], default="big")
    df["z"] = np.select([a < 0, a > 10], [inputs["x"], inputs["y"]])
    return df
