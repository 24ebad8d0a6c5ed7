# mode: pandas
# outputs: o:DOUBLE
def helper(inputs):
    df = pd.DataFrame()
    df["o"] = scaled(inputs["x"], 3)
    return df


def scaled(column, by=2):
    if by > 2:
        return column * by
    return column
