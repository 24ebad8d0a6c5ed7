# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def objects_arith(inputs):
    df = pd.DataFrame()
    df["o"] = inputs["p"].map({True: 1, False: 0}) * 2.5
    df["r"] = inputs["p"] * 2
    return df
