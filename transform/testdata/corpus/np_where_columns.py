# mode: pandas
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE
def np_where_columns(inputs):
    df = pd.DataFrame()
    df["o"] = np.where(inputs["b"] == 0, 0.0, inputs["a"] / inputs["b"])
    df["r"] = np.where(inputs["a"] > inputs["b"], inputs["a"], inputs["x"])
    df["z"] = np.where(inputs["x"].isna(), np.nan, inputs["b"])
    return df
