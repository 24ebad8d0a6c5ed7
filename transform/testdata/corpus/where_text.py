# mode: pandas
# outputs: o:STRING r:STRING
def where_text(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].where(inputs["a"] > 0, "none")
    df["r"] = inputs["s"].mask(inputs["s"] == "NY", inputs["u"])
    return df
