# mode: pandas
# outputs: x:DOUBLE a:INT64
def frame_fill(inputs):
    return inputs[["x", "a"]].fillna(0)
