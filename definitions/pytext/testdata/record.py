"""Records what CPython 3.11 makes of formats and methods of str, into cases.jsonl."""

import itertools
import json
import os

cases = []


def record(kind, name, value, args, make):
    case = {"kind": kind, "name": name, "value": value}
    if args:
        case["args"] = args
    try:
        out = make()
        case["out"] = list(out) if isinstance(out, (list, tuple)) else out
    except Exception as e:
        case["error"] = type(e).__name__
    cases.append(case)


TEXTS = ["", " ", "a", "  a b\tc ", "aXbXXc", "Hello wORLD", "é ñ Ab", "1a-2b_c'd", "a\nb\r\nc\u2028d\x1ce\n", "-42", "+7", "٣4", "日本 語", "x" * 12]
PARTS = ["", "X", "a", " ", "XX", "b"]
PLAIN = "lower upper title capitalize swapcase casefold isdigit isalpha isalnum isspace isupper islower isascii isidentifier strip lstrip rstrip split rsplit splitlines".split()
for s, name in itertools.product(TEXTS, PLAIN):
    record("method", name, s, [], getattr(s, name))
for s, part, name in itertools.product(TEXTS, PARTS, "strip lstrip rstrip removeprefix removesuffix startswith endswith count find rfind index rindex split rsplit partition rpartition".split()):
    record("method", name, s, [part], lambda: getattr(s, name)(part))
for s, n, name in itertools.product(TEXTS, [-3, 0, 1, 2, 5], ["split", "rsplit"]):
    record("method", name, s, [None, n], lambda: getattr(s, name)(None, n))
    record("method", name, s, ["X", n], lambda: getattr(s, name)("X", n))
for s, n, name in itertools.product(TEXTS, [-1, 0, 3, 8, 13], ["zfill", "ljust", "rjust", "center"]):
    record("method", name, s, [n], lambda: getattr(s, name)(n))
    if name != "zfill":
        record("method", name, s, [n, "é"], lambda: getattr(s, name)(n, "é"))
for s, old, new, n in itertools.product(TEXTS, PARTS, ["", "--"], [-1, 0, 1, 2]):
    record("method", "replace", s, [old, new, n], lambda: s.replace(old, new, n))
for s in TEXTS:
    record("method", "splitlines", s, [1], lambda: s.splitlines(True))
    for name, arg in [("split", 3), ("strip", 3), ("count", 3), ("removeprefix", None), ("partition", None), ("center", "a"), ("find", None), ("startswith", 3), ("index", 1)]:
        record("method", name, s, [arg], lambda: getattr(s, name)(arg))

INTS = [0, 7, -7, 1234567, -255, 10**15]
FLOATS = [0.0, -0.0, 1.5, -2.75, 1234567.891, 1e-7, 1e22, 0.1, 2.5, float("inf"), float("-inf"), float("nan"), 123456789.0]
SPECS = "d x X #x #X o #o b #b n , _ +d  d 8 <8 >8 ^8 =8 08 +08 08, 012_ 08x #010x _x _b 012,d *^12 é<9 e E f F g G % .0f .1f .2f .3e .0e .3g #.3g #.0f .10g .2% 010.2f +.1f ,.2f 015,.2f _.1f .5 .3 08.3f c s 5s .2s < ^ z = 0 5 ,x .2d q #".split(" ")
for v, spec in itertools.product(INTS + FLOATS, SPECS):
    if spec:
        record("format", spec, v, [], lambda: format(v, spec))
for s, spec in itertools.product(TEXTS, "s 5s <5 >5 ^5 *^7 .2 5.1 05 =5 +s ,s d f #s q é>4s".split()):
    record("format", spec, s, [], lambda: format(s, spec))
PERCENTS = "d i u 5d -5d 05d +d .3d +.4d 08.3d x X #x #X o #o #06x .4x e E f .0f #.0f .2f 010.3f -8.1f| g G .3g #g c s 5s -5s| .1s r a % q".split()
for v, spec in itertools.product(INTS + FLOATS + TEXTS, PERCENTS):
    record("percent", spec, v, [], lambda: ("%" + spec) % (v,))
for v in FLOATS:
    record("repr", "", v, [], lambda: repr(v))
for s in TEXTS + ["'", "\"", "'\"", "\\", "\x00\x7f\x80", "\xa0\xad", "\U0001f600\u200b\ue000", "\t\n\r"]:
    record("repr", "", s, [], lambda: repr(s))
    record("ascii", "", s, [], lambda: ascii(s))
    record("bytes", "", s, [], lambda: repr(s.encode()))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.jsonl"), "w", encoding="utf-8") as f:
    for case in cases:
        if isinstance(case["value"], float):
            case["value"] = {"float": repr(case["value"])}
        f.write(json.dumps(case, separators=(",", ":")) + "\n")
