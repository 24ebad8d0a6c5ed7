# mode: python
# ulp: 4
# outputs: o:DOUBLE r:DOUBLE
def py_math(inputs):
    import math

    return {
        "o": [math.sqrt(v) if v is not None and v >= 0 else -1.0 for v in inputs["x"]],
        "r": [math.log(v) if v and v > 0 else 0.0 for v in inputs["y"]],
    }
