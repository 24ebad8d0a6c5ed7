# mode: python
# outputs: o:STRING r:INT64
def py_strings(inputs):
    out = []
    for s, u in zip(inputs["s"], inputs["u"]):
        parts = [p for p in [s, u] if p]
        out.append("-".join(parts) if parts else "none")
    return {"o": out, "r": [len(v.split(" ")) for v in out]}
