# mode: python
# outputs: o:INT64
def py_dict(inputs):
    codes = {"NY": 1, "abc": 2}
    return {"o": [codes.get(s, -1) for s in inputs["s"]]}
