# mode: python
# outputs: o:STRING r:STRING z:STRING
def py_text_format(inputs):
    template = "{s} of {{all}}: {0:.2f}"
    return {
        "o": [template.format(x or 0.0, s=s) for x, s in zip(inputs["x"], inputs["s"])],
        "r": ["{}/{}/{!r}".format(a, b, s) for a, b, s in zip(inputs["a"], inputs["b"], inputs["s"])],
        "z": ["{1:>6}|{0:<5}|{p}".format(str(a), str(s), p=p) for a, s, p in zip(inputs["a"], inputs["s"], inputs["p"])],
    }
