# mode: python
# outputs: o:INT64 r:DOUBLE
def py_times(inputs):
    return {
        "o": [None if t is None else t.year for t in inputs["t"]],
        "r": [None if t is None or w is None else (t - w).total_seconds() for t, w in zip(inputs["t"], inputs["w"])],
    }
