# mode: pandas
# outputs: o:BOOL r:BOOL
def time_compare(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["t"] > inputs["w"]
    df["r"] = inputs["t"] >= "2024-01-01"
    return df
