# mode: pandas
# outputs: o:DOUBLE
def series_list(inputs):
    return pd.DataFrame({"o": [v * 2.0 for v in inputs["x"]]})
