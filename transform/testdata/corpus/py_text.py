# mode: python
# outputs: o:STRING r:INT64 z:BOOL
def py_text(inputs):
    return {
        "o": [(s or "").strip().upper() for s in inputs["s"]],
        "r": [len(s) if s else 0 for s in inputs["s"]],
        "z": ["a" in s if s is not None else False for s in inputs["s"]],
    }
