# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def to_numeric(inputs):
    df = pd.DataFrame()
    df["o"] = pd.to_numeric(inputs["s"], errors="coerce")
    df["r"] = pd.to_numeric(inputs["a"], errors="coerce") / pd.to_numeric(inputs["b"], errors="coerce")
    return df
