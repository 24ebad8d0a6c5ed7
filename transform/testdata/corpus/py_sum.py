# mode: python
# outputs: o:DOUBLE r:INT64
def py_sum(inputs):
    known = [v for v in inputs["a"] if v is not None]
    total = sum(known)
    return {"o": [total / len(known) if known else 0.0 for _ in inputs["a"]], "r": [max(known, default=0)] * len(inputs["a"])}
