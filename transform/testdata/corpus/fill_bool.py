# mode: pandas
# outputs: o:BOOL
def fill_bool(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["p"].fillna(False)
    return df
