# mode: python
# outputs: o:DOUBLE r:INT64
def py_power(inputs):
    return {"o": [(x or 0.0) ** 2 if abs(x or 0.0) < 1000 else 0.0 for x in inputs["x"]], "r": [(c or 0) ** 2 for c in inputs["c"]]}
