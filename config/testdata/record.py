"""Records what PyYAML, with which Feast reads feature_store.yaml, makes of merge keys,
aliases and repeated keys. Versions 6.0.2 and 6.0.4 differ where several merged mappings
give one key: merges.jsonl says "refused" there.
usage: PYTHON-WITH-6.0.2 record.py > a; PYTHON-WITH-6.0.4 record.py > b; python record.py a b > merges.jsonl"""

import itertools
import json
import random
import sys

if len(sys.argv) == 3:
    for one, two in zip(*(map(json.loads, open(path)) for path in sys.argv[1:])):
        print(json.dumps(one if one == two else {"text": one["text"], "refused": True}))
    raise SystemExit

import yaml  # noqa: E402

CASES = [
    "a: {<<: {key: 1m}, key: own}",
    "a: {key: own, <<: {key: m}}",
    "a: {key: own}\nb: {<<: {key: m}, other: z}",
    "base: &b {path: base, kind: k}\nuse:\n  path: mine\n  <<: *b\n",
    "base: &b {path: base, kind: k}\nuse:\n  <<: *b\n  path: mine\n",
    "one: &o {key: one, other: one}\ntwo: &t {other: two, third: two}\nuse:\n  <<: [*o, *t]\n",
    "one: &o {key: one, other: one}\ntwo: &t {other: two, third: two}\nuse:\n  <<: [*t, *o]\n  third: own\n",
    "one: &o {key: one}\ntwo: &t {<<: *o, other: two}\nuse:\n  <<: *t\n",
    "one: &o {key: one}\ntwo: &t {<<: *o, key: two}\nuse:\n  <<: *t\n",
    "<<: {key: top}\ny: z\n",
    "tags: {a: &v text, b: *v}\n",
    "list: &l [a, b]\nagain: *l\nmore: [*l, c]\n",
    "key: first\nx: last\n",
    "key: {other: first}\nx: {third: last}\n",
    "use: {'<<': {key: quoted}}\n",
    "use: {<<: {key: a}, <<: {key: b, other: b}}\n",
    "k: &k name\nuse: {*k : value}\n",
    "a: &a {b: &b {c: deep}, d: *b}\ne: {<<: *a}\nf: {<<: *b}\n",
    "use:\n  <<: {}\n",
    "use:\n  <<: []\n  key: y\n",
]
REFUSED = ["a: &a {<<: *a}", "a: &a {key: *a}", "a: &a [*a]", "use: {<<: text}", "use: {<<: [text]}", "use: {<<: [[{key: y}]]}"]


def drawn(n):
    r = random.Random(7)
    names = ["path", "type", "host", "port"]
    for _ in range(n):
        lines, anchors = [], []
        for i in range(r.randint(1, 4)):
            pairs = [f"  {k}: {k}{i}{r.randint(0, 9)}" for k in r.choices(names, k=r.randint(0, 4))]
            if anchors:
                for _ in range(r.randint(0, 2)):
                    some = r.sample(anchors, r.randint(1, len(anchors)))
                    merge = f"  <<: *{some[0]}" if len(some) == 1 else "  <<: [" + ", ".join("*" + a for a in some) + "]"
                    pairs.insert(r.randint(0, len(pairs)), merge)
            anchor = f"n{i}"
            lines.append(f"{anchor}: &{anchor}" + (" {}" if not pairs else ""))
            lines += pairs
            anchors.append(anchor)
        yield "\n".join(lines) + "\n"


for text in itertools.chain(CASES, REFUSED, drawn(300)):
    try:
        print(json.dumps({"text": text, "value": yaml.safe_load(text)}))
    except RecursionError:
        print(json.dumps({"text": text, "refused": True}))
    except (yaml.YAMLError, ValueError) as e:
        print(json.dumps({"text": text, "refused": True}))
