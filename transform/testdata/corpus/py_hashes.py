# mode: singleton
# outputs: o:STRING r:INT64 z:INT64 n:STRING
def py_hashes(inputs):
    import hashlib
    s = (inputs["s"] or "none").encode("utf-8")
    h = hashlib.md5(s).hexdigest()
    return {"o": h, "r": int(h, 16) % 1000, "z": int(hashlib.sha256(s).hexdigest()[:8], 16), "n": hashlib.sha1(s).hexdigest()}
