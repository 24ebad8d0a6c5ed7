# mode: pandas
# ulp: 2
# refuses: without rows
# reads: "a" "b" "c" "x" "y" "f" "s" "u" "p" "q" "t" "w" "list_x" "list_y" "list_f"
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE m:INT64
def vectors(inputs):
    df = pd.DataFrame()

    def cosine(row):
        if row["list_x"] is None or row["list_y"] is None:
            return -1.0
        return float(np.dot(row["list_x"], row["list_y"]) / (np.linalg.norm(row["list_x"]) * np.linalg.norm(row["list_y"]) + 1e-9))

    df["o"] = inputs.apply(cosine, axis=1)
    df["r"] = inputs["list_x"].apply(lambda v: 0.0 if v is None else float(np.mean(v)))
    df["z"] = inputs["list_y"].apply(lambda v: -1.0 if v is None else max(v) + sum(v) + v[0] * v[-1])
    df["n"] = inputs["list_f"].apply(lambda v: 0.0 if v is None else float(v[1]) * 2)
    df["m"] = inputs["list_f"].apply(lambda v: 0 if v is None else len([x for x in v if x > 1]))
    return df
