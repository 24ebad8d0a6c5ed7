# mode: python
# ulp: 2
# outputs: o:DOUBLE r:DOUBLE
def py_numpy_math(inputs):
    return {
        "o": [float(np.log1p(v)) if v is not None and v > -1 else None for v in inputs["x"]],
        "r": [np.sqrt(v) if v else 0.0 for v in inputs["y"]],
    }
