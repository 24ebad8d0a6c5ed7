# mode: pandas
# outputs: o:STRING
def np_where_nested(inputs):
    df = pd.DataFrame()
    df["o"] = np.where(inputs["a"] < 1, "low", np.where(inputs["a"] < 100, "mid", "high"))
    return df
