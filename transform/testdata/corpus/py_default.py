# mode: python
# outputs: o:DOUBLE
def py_default(inputs):
    return {"o": [(v or 0.0) + 1 for v in inputs["x"]]}
