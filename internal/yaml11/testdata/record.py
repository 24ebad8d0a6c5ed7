"""Records the tag that PyYAML gives plain scalars.
usage: PYTHON record.py > scalars.jsonl"""

import itertools
import json
import random

import yaml

r = random.Random(3)
WORDS = ["yes", "no", "true", "false", "on", "off", "y", "n", "null", "~", "<<", "=", "nan", ".nan", ".inf", "inf", "none"]
NUMBERS = ["0", "00", "7", "08", "010", "0o10", "0x1F", "0xg", "0b101", "0b2", "1_000", "_1", "1__0", "-0", "+5", "--5", "1.", ".5", "1.5", "1e3", "1.e+3", "1.5e3", "1.5e+3", "1.5E-3", "-.5", "+.5", ".", "1:30", "1:60", "1:5:9",
           "12:30:45", "1:30.5", "0:30", "190:20:30.15", "1,000", "1.2.3", "-.inf", "+.Inf", ".iNF"]
TIMES = ["2024-01-01", "2024-1-1", "2024-01-01 10:00:00", "2024-01-01T10:00:00Z", "2024-01-01t10:00:00.5 +05:30", "2024-1-1 1:00:00", "2024-01-01T10:00", "2024-01-01 10:00:00 Z", "20240101", "2024-13-45"]
cased = [c for w in WORDS for c in (w, w.capitalize(), w.upper(), w.swapcase())]
drawn = ["".join(r.choice("0123456789_+-.:xeEbTZ ") for _ in range(r.randint(1, 9))).strip() for _ in range(400)]
resolver = yaml.resolver.Resolver()
done = set()
for text in itertools.chain([""], cased, NUMBERS, TIMES, drawn):
    if text not in done:
        done.add(text)
        print(json.dumps({"text": text, "tag": resolver.resolve(yaml.ScalarNode, text, (True, False)).replace("tag:yaml.org,2002:", "!!")}))
