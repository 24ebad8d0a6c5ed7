# mode: pandas
# refuses: regular expression
# outputs: o:BOOL r:STRING z:STRING n:DOUBLE k:BOOL m:DOUBLE l:INT64
def text_patterns(inputs):
    df = pd.DataFrame()
    s, u = inputs["s"], inputs["u"]
    df["o"] = s.str.contains(r"^[a-z]+( b)?$", na=False)
    df["r"] = u.str.extract(r"([0-9]+)", expand=False)
    df["z"] = s.fillna("").str.replace(r"[^a-zA-Z]", "_", regex=True) + u.str.replace(r"([A-Z])([a-z]*)", r"\2-\1", regex=True)
    df["n"] = u.str.count("[aeiou]")
    df["k"] = s.str.match("[A-Z]")
    df["m"] = s.str.fullmatch(r"[0-9]{1,2}|a.c").fillna(False).astype(float)
    df["l"] = u.fillna("").str.findall("[a-z]+").str.len()
    return df
