# mode: python
# outputs: o:INT64
def py_enumerate(inputs):
    result = {"o": []}
    for i, v in enumerate(inputs["a"]):
        result["o"].append(i if v is None else min(v, i))
    return result
