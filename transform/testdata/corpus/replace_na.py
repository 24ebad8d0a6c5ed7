# mode: pandas
# outputs: o:DOUBLE r:INT64
# refuses: pd.NA
def replace_na(inputs):
    df = pd.DataFrame()
    safe = inputs["b"].replace({0: pd.NA})
    df["o"] = (inputs["x"] / safe).astype("float64")
    df["r"] = inputs["a"].replace(12345, pd.NA).fillna(0)
    return df
