# mode: pandas
# refuses: without rows
# outputs: o:DOUBLE r:STRING
def row_apply(inputs):
    df = pd.DataFrame()
    df["o"] = inputs[["x", "y"]].apply(lambda row: row["x"] + row["y"] if row["x"] > 0 else 0.0, axis=1)
    df["r"] = inputs[["s", "a"]].apply(lambda row: f"{row['s']}-{row['a']}", axis=1)
    return df
