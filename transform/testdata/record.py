"""Records what pandas, NumPy and Python make of the functions in corpus/.

    python record.py > recorded.jsonl

needs pandas, numpy and pyarrow in the versions that Feast uses. Each line has the
name of a function, a table of inputs, and the outputs or the error. Functions get
the table as Feast gives it to them: pandas mode through Arrow, python mode as lists.
"""

import contextlib
import datetime
import io
import json
import math
import pathlib
import random
import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa

warnings.simplefilter("ignore")
np.seterr(all="ignore")
UTC = datetime.timezone.utc
TYPES = {"a": "INT64", "b": "INT64", "c": "INT32", "x": "DOUBLE", "y": "DOUBLE", "f": "FLOAT", "s": "STRING", "u": "STRING", "p": "BOOL", "q": "BOOL", "t": "UNIX_TIMESTAMP", "w": "UNIX_TIMESTAMP"}
LISTS = {"list_x": "DOUBLE_LIST", "list_y": "DOUBLE_LIST", "list_f": "FLOAT_LIST"}
PLAIN = {
    "INT64": [0, 1, 2, 3, -1, 7, 10, 25, 100, 12345], "INT32": [0, 1, 2, -5, 40, 999], "DOUBLE": [0.0, 0.5, 1.0, 1.5, -2.25, 3.14159, 100.0, 12345.678, 2.5, 0.125],
    "FLOAT": [0.0, 0.5, 1.5, -2.25, 100.0], "STRING": ["a", "NY", "abc", "Los Angeles", "12", "x b"], "BOOL": [True, False],
    "UNIX_TIMESTAMP": [0, 1704067200, 1709251199, 1720000000, 946684799],
}
EXTREME = {
    "INT64": [2**63 - 1, -(2**63), 2**53 + 1, -(2**53) - 1, 2**31, -1, 0, 1], "INT32": [2**31 - 1, -(2**31), -1, 0], "FLOAT": [3.4028234663852886e38, 1.401298464324817e-45, 0.10000000149011612, -0.0, math.inf, math.nan],
    "DOUBLE": [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7976931348623157e308, 1e16, 1e-7, 0.1, 1 / 3, 2.675, 0.5, 1.5, -0.5],
    "STRING": ["", " ", "ünï çødé", "日本", "ǆ ß", "3.5", "nan", "-7", " 8 ", "1_0", "a\nb", "é"], "BOOL": [True, False],
    "UNIX_TIMESTAMP": [-1, 4102444800, -2208988800, 951782400, 1583020799, 7258118400],
}


def tables(rng):
    """Tables by kind: plain, with nulls, extreme, of one row, with empty columns, without rows."""
    def make(rows, pool, nulls, empty=0.0):
        table = {}
        for name, kind in TYPES.items():
            none = rng.random() < empty
            table[name] = [None if none or rng.random() < nulls else rng.choice(pool[kind]) for _ in range(rows)]
        own = random.Random(repr(table))  # so that the other columns do not depend on the lists
        for name in LISTS:
            table[name] = [None if own.random() < nulls else [float(own.randint(-40, 80)) / 8 for _ in range(3)] for _ in range(rows)]
        return table

    both = {k: PLAIN[k] + EXTREME[k] for k in PLAIN}
    yield make(4, PLAIN, 0)
    yield make(9, PLAIN, 0.3)
    yield make(7, both, 0)
    yield make(9, both, 0.25)
    yield make(3, PLAIN, 0, 0.5)
    yield make(1, PLAIN, 0)
    yield make(1, PLAIN, 1)
    yield make(2, PLAIN, 1)
    yield make(20, PLAIN, 0.05)
    yield make(0, PLAIN, 0)


def native(kind, v):
    """A cell as Feast gives it to Python."""
    if v is None or kind != "UNIX_TIMESTAMP":
        return v
    return datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=v)


def cell(v):
    """A cell as text: its kind and its exact value."""
    if v is None or v is pd.NaT or v is pd.NA:
        return "n"
    if isinstance(v, (bool, np.bool_)):
        return f"b:{int(v)}"
    if isinstance(v, (int, np.integer)):
        return f"i:{int(v)}"
    if isinstance(v, (float, np.floating)):
        return "n" if math.isnan(v) else "f:" + float(v).hex()
    if isinstance(v, str):
        return "s:" + v
    if isinstance(v, (list, tuple)):
        return [cell(x) for x in v]
    return f"?:{type(v).__name__}:{v}"


def read(path):
    head = dict(line[2:].split(": ", 1) for line in path.read_text().splitlines() if line.startswith("# ") and ": " in line)
    names = {"pd": pd, "np": np, "pandas": pd, "numpy": np}
    exec(path.read_text(), names)
    return head, names[path.stem]


def run(mode, fn, outputs, table):
    lists = {name: [native(TYPES.get(name), v) for v in cells] for name, cells in table.items()}
    rows = len(table["a"])
    if mode == "pandas":
        frame = pa.table({name: pa.array(cells, pa.list_(pa.float32() if name == "list_f" else pa.float64())) if name in LISTS else cells for name, cells in lists.items()}).to_pandas()
        for name in lists:
            frame["v__" + name] = frame[name].copy()
        out = fn(frame)
        if len(out) != rows:
            raise ValueError("number of rows")
        return {name: {"dtype": str(out[name].dtype), "cells": [cell(v) for v in out[name]]} for name in outputs}
    full = {**lists, **{"v__" + name: cells for name, cells in lists.items()}}
    if mode == "singleton":
        each = [fn({name: cells[i] for name, cells in full.items()}) for i in range(rows)]
        return {name: {"cells": [cell(e[name]) for e in each]} for name in outputs}
    out = fn(full)
    for name in outputs:
        if len(out[name]) != rows:
            raise ValueError("number of rows")
    return {name: {"cells": [cell(v) for v in out[name]]} for name in outputs}


def record(paths, seed):
    for path in paths:
        head, fn = read(path)
        outputs = [o.split(":")[0] for o in head["outputs"].split()]
        for table in tables(random.Random(f"{path.stem}{seed}")):
            table = {name: cells for name, cells in table.items() if name in TYPES or name in used(path)}
            line = {"function": path.stem, "inputs": {name: ["f:nan" if isinstance(v, float) and math.isnan(v) else cell(v) for v in cells] for name, cells in table.items() if name in used(path)}, "rows": len(table["a"])}
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    line["outputs"] = run(head["mode"], fn, outputs, table)
            except Exception as e:
                line["error"] = f"{type(e).__name__}: {e}"[:200]
            yield line


def used(path):
    text = path.read_text()
    return [n for n in {**TYPES, **LISTS} if f'"{n}"' in text or f"__{n}" in text or f".{n}" in text or f"'{n}'" in text]


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    for line in record(sorted((here / "corpus").glob("*.py")), sys.argv[1] if len(sys.argv) > 1 else "0"):
        print(json.dumps(line, ensure_ascii=False))
