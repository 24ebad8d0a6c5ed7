# mode: pandas
# outputs: o:BOOL r:BOOL
def where_bool(inputs):
    df = pd.DataFrame()
    p = inputs["a"] > 1
    df["o"] = p.where(p, True)
    df["r"] = p.mask(inputs["b"] > 0)
    return df
