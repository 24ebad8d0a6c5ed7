# mode: pandas
# outputs: o:INT64 r:DOUBLE
def concat_frames(inputs):
    left = pd.DataFrame({"o": inputs["b"]})
    right = pd.DataFrame({"r": inputs["x"]})
    return pd.concat([left, right], axis=1)
