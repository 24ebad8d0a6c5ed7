# mode: pandas
# outputs: o:INT64
def copy_frame(inputs):
    df = inputs.copy()
    df["a"] = df["a"] + 1
    df["o"] = df["a"] - inputs["a"]
    return df[["o"]]
