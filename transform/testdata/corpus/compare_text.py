# mode: pandas
# outputs: e:BOOL n:BOOL i:BOOL
def compare_text(inputs):
    df = pd.DataFrame()
    df["e"] = inputs["s"] == "NY"
    df["n"] = inputs["s"] != inputs["u"]
    df["i"] = inputs["s"].isin(["NY", "abc", ""])
    return df
