# mode: python
# outputs: o:STRING
def py_format(inputs):
    return {"o": [f"{a:05d}|{s!r}" if a is not None else "-" for a, s in zip(inputs["a"], inputs["s"])]}
