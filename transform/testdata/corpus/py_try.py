# mode: python
# refuses: is not read
# outputs: o:DOUBLE r:INT64 z:STRING
def py_try(inputs):
    out, numbers, words = [], [], []
    for x, y, s in zip(inputs["x"], inputs["y"], inputs["s"]):
        try:
            out.append(x / y)
        except ZeroDivisionError:
            out.append(0.0)
        except (TypeError, ValueError):
            out.append(None)
        try:
            number = int(s)
        except Exception:
            numbers.append(-1)
        else:
            numbers.append(number)
        try:
            words.append(s.upper()[0])
        except (AttributeError, LookupError):
            words.append("?")
    return {"o": out, "r": numbers, "z": words}
