# mode: pandas
# refuses: of these characters
# outputs: o:BOOL r:BOOL z:BOOL n:BOOL
def text_tests(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].str.startswith("a")
    df["r"] = inputs["s"].str.contains("b", na=False)
    df["z"] = inputs["s"].str.endswith("Y", na=False)
    df["n"] = inputs["u"].str.isdigit()
    return df
