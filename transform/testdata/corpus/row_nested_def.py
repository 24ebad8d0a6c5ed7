# mode: pandas
# refuses: without rows
# outputs: o:STRING p:DOUBLE
def row_nested_def(inputs):
    limit = 2

    def grade(row):
        if pd.isna(row["x"]):
            return "U"
        elif row["x"] > limit and row["f"] < 10:
            return "A"
        return "B"

    def clamp(v, low=-1.0, high=1.0):
        return max(low, min(high, v))

    df = pd.DataFrame()
    df["o"] = inputs[["x", "f"]].apply(grade, axis=1)
    df["p"] = inputs["y"].fillna(0.0).apply(lambda v: clamp(v, high=limit * 2.0))
    return df
