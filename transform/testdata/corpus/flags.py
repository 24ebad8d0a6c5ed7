# mode: pandas
# outputs: o:INT64 r:INT64
def flags(inputs):
    df = pd.DataFrame()
    df["o"] = np.where((inputs["a"] > 1) & inputs["s"].notna(), 1, 0)
    df["r"] = ((inputs["s"] == "NY") | (inputs["u"] == "NY")).astype("int64")
    return df
