# mode: pandas
# outputs: o:DOUBLE
def clip_column(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["x"].clip(upper=inputs["y"])
    return df
