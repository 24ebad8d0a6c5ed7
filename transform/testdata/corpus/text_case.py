# mode: pandas
# outputs: o:STRING r:STRING z:STRING
# refuses: of these characters
def text_case(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["s"].str.lower()
    df["r"] = inputs["s"].str.strip().str.upper()
    df["z"] = inputs["u"].str.title()
    return df
