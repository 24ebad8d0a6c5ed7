# mode: python
# outputs: o:STRING
def py_helper(inputs):
    return {"o": [bucket(v) for v in inputs["a"]]}


def bucket(v):
    if v is None:
        return "none"
    if v < 0:
        return "negative"
    return "small" if v < 100 else "large"
