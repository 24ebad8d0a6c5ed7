# mode: pandas
# outputs: l:BOOL e:BOOL n:BOOL g:BOOL
def compare_numbers(inputs):
    df = pd.DataFrame()
    df["l"] = inputs["a"] < inputs["b"]
    df["e"] = inputs["a"] == inputs["x"]
    df["n"] = inputs["x"] != inputs["y"]
    df["g"] = inputs["x"] >= 1
    return df
