# mode: pandas
# outputs: o:BOOL r:BOOL z:DOUBLE
def finite_tests(inputs):
    df = pd.DataFrame()
    df["o"] = np.isfinite(inputs["x"])
    df["r"] = np.isnan(inputs["y"])
    df["z"] = np.nan_to_num(inputs["x"])
    return df
