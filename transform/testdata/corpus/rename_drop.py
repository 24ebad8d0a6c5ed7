# mode: pandas
# outputs: o:DOUBLE
def rename_drop(inputs):
    df = inputs[["x", "y"]].rename(columns={"x": "o"})
    return df.drop(columns=["y"])
