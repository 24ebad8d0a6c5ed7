# mode: pandas
# outputs: a:DOUBLE b:STRING
def frame_astype(inputs):
    return inputs[["a", "b"]].astype({"a": "float64", "b": "str"})
