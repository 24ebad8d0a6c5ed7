# mode: pandas
# outputs: o:DOUBLE
def score(inputs):
    df = pd.DataFrame()
    base = 600 + inputs["a"].clip(upper=50) * 2 - inputs["c"].abs() * 0.5
    df["o"] = base.round(1).clip(300, 850)
    return df
