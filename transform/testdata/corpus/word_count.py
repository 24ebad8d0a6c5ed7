# mode: pandas
# outputs: n:DOUBLE
def word_count(inputs):
    df = pd.DataFrame()
    df["n"] = inputs["s"].fillna("").str.split(" ").str.len()
    return df
