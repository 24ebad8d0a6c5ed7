# mode: python
# ulp: 2
# outputs: o:DOUBLE r:DOUBLE z:DOUBLE n:DOUBLE
def py_vectors(inputs):
    import numpy as np
    from numpy.linalg import norm

    out = {"o": [], "r": [], "z": [], "n": []}
    for u, v in zip(inputs["list_x"], inputs["list_y"]):
        try:
            first = u[0] + v[0]
            a, b = np.array(u), np.array(v)
            out["o"].append(float(np.dot(a, b)))
            out["r"].append(float(norm(a - b)))
            out["z"].append((np.dot(u, v) / (norm(u) * norm(v) + 1)).astype("float64"))
            out["n"].append(sum(x * y for x, y in zip(u, v)))
        except Exception as e:
            for name in ("o", "r", "z", "n"):
                out[name] = out[name][: len(out["n"])] + [-1.0]
    return out
