# mode: python
# outputs: o:INT64
def py_loop(inputs):
    out = []
    for a, b in zip(inputs["a"], inputs["b"]):
        if a is None or b is None:
            out.append(None)
        elif b == 0:
            out.append(0)
        else:
            out.append(a // b)
    return {"o": out}
