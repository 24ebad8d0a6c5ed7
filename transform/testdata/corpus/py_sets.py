# mode: python
# outputs: o:INT64 r:BOOL z:INT64 n:STRING
def py_sets(inputs):
    wanted = {"a", "b", "NY"}
    out = {"o": [], "r": [], "z": [], "n": []}
    for s, u in zip(inputs["s"], inputs["u"]):
        x, y = set(s or ""), set(u or "")
        out["o"].append(len(x & y) * 100 + len(x | y))
        out["r"].append((s in wanted) and wanted.issuperset({s}) or x.isdisjoint(y))
        out["z"].append(len(x - y) - len(x ^ y) + len(x.intersection(u or [])) + len(x.union(wanted)))
        out["n"].append(",".join(sorted(x.difference(y))))
    return out
