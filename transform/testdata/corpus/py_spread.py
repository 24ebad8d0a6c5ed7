# mode: python
# outputs: o:INT64 r:DOUBLE z:STRING n:INT64
def py_spread(inputs):
    def weigh(x, y, by=1, add=0):
        return (x or 0) * by + (y or 0) + add

    names = ["a", "b"]
    return {
        "o": [sum(v or 0 for v in values) % 1000 for values in zip(*(inputs[k] for k in names))],
        "r": [weigh(*pair, **{"by": 0.5}) for pair in zip(*[inputs["a"], inputs["b"]])],
        "z": ["-".join(str(v) for v in row) for row in zip(*(inputs[n] for n in ("s", "u")))],
        "n": [max(*[v or 0 for v in pair], 3) for pair in zip(inputs["a"], inputs["b"])],
    }
