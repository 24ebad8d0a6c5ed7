# mode: python
# outputs: o:DOUBLE g:STRING
def py_nested_def(inputs):
    offset = 1.5

    def safe_div(a, b, otherwise=-1.0, unused=np.nan):
        out = otherwise
        try:
            out = a / b + offset
        except (ZeroDivisionError, TypeError):
            pass
        return out

    def grade(v):
        if v is None:
            return "none"
        out = "low"
        if safe_div(v, 2) > 3:
            out = "high"
        return out

    out = {"o": [safe_div(a, b) for a, b in zip(inputs["x"], inputs["y"])], "g": []}
    offset = 2
    for v in inputs["a"]:
        out["g"].append(grade(v))
    return out
