# mode: pandas
# refuses: without rows
# outputs: o:STRING n:DOUBLE d:BOOL
# All columns are recorded: "a" "b" "c" "x" "y" "f" "s" "u" "p" "q" "t" "w".
def row_whole(inputs):
    def grade(row):
        if pd.isna(row["x"]) or pd.isnull(row["t"]):
            return "U"
        if row["x"] > 2 and row["c"] is not None and row["a"] < 10:
            return f"A{row['x']}"
        return "B" + str(row["s"])

    df = pd.DataFrame()
    df["o"] = inputs.apply(grade, axis=1)
    df["n"] = inputs.apply(lambda row: row["y"] * 2 + (1 if row["p"] else 0), axis=1)
    df["d"] = inputs.apply(lambda row: bool(row["t"] > row["w"]), axis=1)
    return df
