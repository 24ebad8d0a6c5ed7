# mode: pandas
# outputs: o:INT64
def text_number(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].astype(int)
    return df
