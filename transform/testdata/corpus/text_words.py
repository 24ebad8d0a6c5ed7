# mode: pandas
# outputs: o:BOOL r:BOOL
def text_words(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].str.contains("NY|abc|b", na=False)
    df["r"] = inputs["u"].fillna("").str.contains("los|A", case=False, regex=True) if False else inputs["s"].fillna("").str.contains("x.b", regex=False)
    return df
