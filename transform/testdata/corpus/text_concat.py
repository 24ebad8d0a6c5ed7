# mode: pandas
# outputs: o:STRING r:STRING
def text_concat(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"] + "_" + inputs["u"]
    df["r"] = "x" + inputs["s"]
    return df
