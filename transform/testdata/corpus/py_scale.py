# mode: python
# outputs: o:DOUBLE g:STRING
def py_scale(inputs):
    return {
        "o": [None if v is None else v * f for v, f in zip(inputs["x"], inputs["a"])],
        "g": [f"{w} {v}" for w, v in zip(inputs["s"], inputs["a"])],
    }
