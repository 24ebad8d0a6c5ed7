"""Records the tokens that CPython 3.11 finds in sources, and what string literals say, into cases.jsonl."""

import ast
import io
import json
import os
import tokenize
import warnings

warnings.simplefilter("ignore")
SOURCES = [
    "", "\n\n", "x = 1", "x=1;y = 2\n", "if a:\n  b\n  if c:\n   d\ne\n", "if a:\n\n    # c\n    b\n # d\nelse: c\n", "f(a,\n  b)\nc\n", "a = \\\n  b\n",
    "x = 0x_f + 1_0 * 1e5j - .5 ** 0o7 // 0b1\n", "a <<= b >> c != d := e -> f ... @g\n", "x = 'a\\'b' \"c\" r'\\' b'\\x00' rb\"d\"\n".replace("r'\\'", "r'\\\\'"),
    "x = '''a\nb''' + \"\"\"c\"d\\\"\"\"\"\n", "é = ñ_1\n", "class A:\n    def f(self): pass\n\n    x = [\n# c\n1,\n]\n", "f'a{b}c' f'{d!r:>{w}}' F\"{e}\"\n", "1.e3 1..real\n", "a\r\nb\r\n",
    "if a:\n    b\n        \n  \nc", "x = {\n  'a': (1,\n    2),\n}\n", "for x in y:\n\tif z:\n\t\tw\n\telse:\n\t\tv\n",
    "if a:\n    b\n  c\n", "x = (1]\n", "x = (\n", "x = 'a\n", ")", "x = '''a",
]
LITERALS = [
    r"'a\n\t\\\'\"'", r"'\x41\u00e9\U0001f600'", r"'\101\0\7\777'", r"'\q\ '", r"r'\n'", r"b'\x00\xff\101\q\u0041'", "'a\\\nb'", "'''a\nb'''", r"'\a\b\f\v\r'", r"'\x4'", r"'\u12'", r"'\U00110000'",
    "'a\r\nb'", r"br'\x41'", r"u'\u0041'", r"'\N{DASH}'", r"'\ud800'", r"'\8'", r"'\x4g'", "''", "'é'",
]
KINDS = {tokenize.NAME: 1, tokenize.NUMBER: 2, tokenize.STRING: 3, tokenize.OP: 4, tokenize.NEWLINE: 5, tokenize.INDENT: 6, tokenize.DEDENT: 7}

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.jsonl"), "w", encoding="utf-8") as f:
    for source in SOURCES:
        case = {"source": source}
        try:
            found = []
            for t in tokenize.generate_tokens(io.StringIO(source).readline):
                if t.type in KINDS:
                    found.append([KINDS[t.type], t.string if t.type in (1, 2, 3, 54) else ""])
                elif t.type == tokenize.ERRORTOKEN and t.string.strip():
                    raise SyntaxError
            depth = []
            for kind, text in found:
                if kind == 4 and text in "([{":
                    depth.append(")]}"["([{".index(text)])
                elif kind == 4 and text in ")]}" and (not depth or depth.pop() != text):
                    raise SyntaxError
            case["tokens"] = found
        except (SyntaxError, tokenize.TokenError):
            case["wrong"] = True
        f.write(json.dumps(case) + "\n")
    for source in LITERALS:
        case = {"literal": source}
        try:
            v = ast.literal_eval(source)
            case["says"] = v.decode("latin1") if isinstance(v, bytes) else v
        except SyntaxError:
            case["wrong"] = True
        f.write(json.dumps(case) + "\n")
