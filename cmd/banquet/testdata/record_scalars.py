"""Records how PyYAML, with which Feast writes objects, writes texts.
usage: python record_scalars.py > scalars.jsonl"""

import itertools
import json
import random

import yaml

TEXTS = """0x1F 0b101 0o17 017 08 1_000 12:30:45 190:20:30 1.5 .5 5. 1e3 1.5e3 1.5e+3 .inf -.inf .Inf .nan .NaN +1 -1 -0 - + ~ null Null NULL nULL
true True TRUE tRUE false yes Yes no No on On off OFF y Y n N << = == <<x 2024-01-02 2024-1-2 2024-01-02T03:04:05Z 2024-01-02x 1.2.3 12:30 a:b a: :a a#b #a a,b ,a [a ]a {a }a
&a *a !a |a >a %a @a `a 'a "a a' a" ? ?a -a - a-b --- ---a ... ...a \\ a\\b 1,000 1_ _1 0. 00 0x 0xg 1e 1e3x infinity nan 1d 60s 3600s 1.0s 12_3.4_5 1:2.5 -1:30 +.inf 0.0.0.0
zipcode credit_history feast.infra.x /path/to/file s3://bucket/key a=b =a SELECT""".split()
SPACED = ["", " ", " a", "a ", "a b", "a: b", "a :b", "a #b", "a# b", "- a", "? a", ": a", "a:", "SELECT * FROM t", "a\nb", "a\n", "\ta", "a\tb", "it's", 'say "x"', "line one\nline two\n", "<<: x", "= b", "x = 1", "a, b", "[a, b]", "{a: b}"]


def drawn(n):
    r = random.Random(5)
    for _ in range(n):
        yield "".join(r.choice("01289abexofn.:_-+~ #,[]{}'\"<>=&*!|%@`?/tTyY") for _ in range(r.randint(1, 6)))


seen = set()
for text in itertools.chain(TEXTS, SPACED, drawn(2500)):
    if text not in seen:
        seen.add(text)
        written = yaml.dump({"k": text}, width=10**9)
        print(json.dumps({"text": text, "yaml": written.removeprefix("k: ").removesuffix("\n")}))
