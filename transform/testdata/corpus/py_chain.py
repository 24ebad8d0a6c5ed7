# mode: python
# outputs: o:BOOL r:STRING
def py_chain(inputs):
    return {
        "o": [a is not None and 0 <= a < 100 for a in inputs["a"]],
        "r": ["odd" if a is not None and a % 2 else "even" for a in inputs["a"]],
    }
