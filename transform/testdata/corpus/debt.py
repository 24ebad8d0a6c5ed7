# mode: pandas
# outputs: due:DOUBLE ratio:DOUBLE
def debt(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["due"] = (inputs["a"] + inputs["b"] + inputs["c"]).astype("float64")
    out["ratio"] = (inputs["a"] / inputs["x"]).astype("float64")
    return out
