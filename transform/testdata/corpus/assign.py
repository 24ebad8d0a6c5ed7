# mode: pandas
# outputs: o:DOUBLE r:DOUBLE
def assign(inputs):
    return inputs.assign(o=inputs["a"] * 2.0, r=lambda d: d["o"] + 1)[["o", "r"]]
