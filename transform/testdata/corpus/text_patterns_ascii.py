# mode: pandas
# refuses: regular expression
# outputs: o:BOOL r:STRING z:STRING n:BOOL
def text_patterns_ascii(inputs):
    df = pd.DataFrame()
    s = inputs["s"]
    df["o"] = s.str.contains(r"\d|\bx\b", regex=True, na=False)
    df["r"] = s.str.extract(r"(\w+)\s(\w+)?".replace("(\\w+)?", "\\w*"), expand=False)
    df["z"] = s.str.replace(r"\s+", " ", regex=True)
    df["n"] = s.str.contains("NY|los", case=False)
    return df
