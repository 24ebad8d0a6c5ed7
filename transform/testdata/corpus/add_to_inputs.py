# mode: pandas
# outputs: o:DOUBLE
def add_to_inputs(inputs):
    inputs["half"] = inputs["a"] / 2
    inputs["o"] = inputs["half"] + inputs["x"]
    return inputs
