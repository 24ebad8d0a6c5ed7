# mode: singleton
# outputs: o:INT64 r:INT64 z:DOUBLE
def one_modulo(inputs):
    a, b = inputs["a"] or 1, inputs["b"] or 3
    return {"o": a % b, "r": a // b, "z": (inputs["x"] or 1.0) % 0.7}
