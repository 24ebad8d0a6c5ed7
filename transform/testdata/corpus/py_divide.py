# mode: python
# outputs: o:DOUBLE
def py_divide(inputs):
    return {"o": [a / b for a, b in zip(inputs["x"], inputs["y"])]}
