# mode: pandas
# outputs: o:DOUBLE
def safe_ratio(inputs):
    ratio = inputs["x"] / inputs["y"]
    ratio = ratio.replace([np.inf, -np.inf], np.nan).fillna(0.0)
    return pd.DataFrame({"o": ratio.round(3)})
