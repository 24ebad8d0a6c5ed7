# mode: pandas
# outputs: o:BOOL r:BOOL
def logical_functions(inputs):
    df = pd.DataFrame()
    df["o"] = np.logical_and(inputs["x"] > 0, inputs["y"] > 0)
    df["r"] = np.logical_not(inputs["a"] > 0)
    return df
