# mode: singleton
# outputs: o:DOUBLE
def one_ratio(inputs):
    x, y = inputs["x"], inputs["y"]
    if not x or not y:
        return {"o": 0.0}
    return {"o": x / y}
