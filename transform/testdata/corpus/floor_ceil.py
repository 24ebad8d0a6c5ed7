# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def floor_ceil(inputs):
    df = pd.DataFrame()
    df["o"] = np.floor(inputs["x"])
    df["r"] = np.ceil(inputs["x"])
    df["z"] = np.trunc(inputs["y"])
    return df
