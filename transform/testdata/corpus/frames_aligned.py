# mode: pandas
# outputs: a:DOUBLE x:DOUBLE c:DOUBLE
def frames_aligned(inputs):
    raw = inputs[["a", "x", "c"]].astype(float)
    scaled = (raw - [1.5, 2, 0.25]) / [2, 4, 10.5]
    return scaled * raw + raw
