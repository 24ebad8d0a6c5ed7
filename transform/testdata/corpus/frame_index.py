# mode: pandas
# outputs: o:INT64 k:STRING
def frame_index(inputs):
    df = pd.DataFrame(index=inputs.index)
    df["k"] = "fixed"
    df["o"] = inputs["b"] - 1
    return df
