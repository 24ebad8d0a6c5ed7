# mode: pandas
# outputs: o:BOOL r:BOOL
def any_all(inputs):
    df = pd.DataFrame()
    flags = pd.DataFrame({"u": inputs["a"] > 1, "v": inputs["b"] > 1})
    df["o"] = flags.any(axis=1)
    df["r"] = flags.all(axis=1)
    return df
