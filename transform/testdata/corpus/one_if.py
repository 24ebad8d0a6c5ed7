# mode: singleton
# outputs: o:STRING r:DOUBLE
def one_if(inputs):
    a = inputs["a"]
    if a is None:
        level = "none"
    elif a > 100:
        level = "high"
    else:
        level = f"low {a:>6}"
    return {"o": level, "r": float(a or 0) / 3}
