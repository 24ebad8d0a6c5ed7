# mode: pandas
# outputs: o:DOUBLE r:STRING
# reads: "a" "b" "c" "x" "y" "f" "s" "u" "p" "q" "t" "w"
def rows_of_a_loop(inputs):
    o, r = [], []
    for i, row in inputs[["a", "x", "s"]].iterrows():
        o.append(row["x"] * 2 if row["x"] > 1 else 0.5)
        r.append(f"{row['s']}")
    return pd.DataFrame({"o": o, "r": r})
