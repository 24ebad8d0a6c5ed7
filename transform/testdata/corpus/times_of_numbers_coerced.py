# mode: pandas
# outputs: o:DOUBLE
def times_of_numbers_coerced(inputs):
    df = pd.DataFrame()
    df["o"] = pd.to_datetime(inputs["b"].fillna(0).astype("int64"), unit="s", errors="coerce").dt.year
    return df
