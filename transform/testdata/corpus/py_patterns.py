# mode: singleton
# refuses: regular expression
# outputs: o:STRING r:STRING z:INT64 n:STRING k:STRING
def py_patterns(inputs):
    import re
    s = inputs["s"] or ""
    word = re.compile("([A-Za-z])([a-z]*)")
    m = word.search(s)
    n = re.match(r"(?P<first>[0-9])(?P<rest>[0-9]|[.])?", s)
    return {
        "o": re.sub(r"[^a-z0-9 ]", "", s.lower()).strip(),
        "r": None if not m else m.group(1) + "|" + m[2] + "|" + str(m.start()) + "," + str(m.end(0) if False else m.end()),
        "z": len(re.findall("[a-z]", s)) * 100 + len(re.split("[ ,]", s)) * 10 + (1 if re.fullmatch("[a-c]{1,3}", s, flags=re.IGNORECASE) else 0),
        "n": "-" if n is None else n.group("first") + str(n.groups()[1]),
        "k": re.sub("(b)|(a)", r"<\1\g<2>>", s, count=1) + "/".join(x + y for x, y in word.findall(s)),
    }
