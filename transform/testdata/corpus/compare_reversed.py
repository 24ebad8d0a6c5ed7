# mode: pandas
# outputs: l:BOOL g:BOOL
def compare_reversed(inputs):
    df = pd.DataFrame()
    df["l"] = 3 < inputs["a"]
    df["g"] = 2.5 >= inputs["x"]
    return df
