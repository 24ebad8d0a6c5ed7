# mode: pandas
# outputs: o:INT32 r:FLOAT z:INT32
def narrow(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["b"].fillna(0).astype("int64").astype("int32")
    df["r"] = inputs["x"].astype(np.float32)
    df["z"] = (inputs["b"].fillna(0).astype("int64").astype("int16") + 1)
    return df
