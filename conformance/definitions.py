#!/usr/bin/env python3
"""Compares the native reader of definitions with Feast and CPython, on many small repositories and pieces of Python.

Usage: definitions.py [-v] [--only WORDS] [--sweep | --no-sweep] [--fresh]

Each case of cases/ has one of these results: equal; refused, where the native reader stops with an
error and Python reads the case; both refuse; different, which is never allowed: another value, a missing
or extra object, a panic, or something read that Python refuses; on purpose, which is different and listed
with its reason in the table below. The sweep puts unreadable lines before every statement of many
repositories: the result must be all objects or a refusal, never fewer objects.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import corpus
import sweep

ROOT = Path(__file__).resolve().parent.parent
REPOSITORIES, PIECES, SHARE = 300, 400, 0.70  # what must be compared, and read natively

# Cases in which the native reader differs from Python on purpose, and why.
MISSING = "the module is not installed here, and no definition depends on it; where it is installed, Python reads this"
IDLE = "a file that mentions neither feast nor a module of the repository can define nothing, and is not read"
TOLD = "the reader skips and reports what stops Python, and apply then deletes nothing"
ON_PURPOSE = {
    "while unknown": MISSING,
    "sorted unknown key": MISSING,
    "import of an unknown module used for nothing": MISSING,
    "trino source": MISSING,
    "import of a name the standard library does not have": "the names of a Python module are checked only when they are used",
    "exception in another file without feast": IDLE,
    "exit in another file": IDLE,
    "syntax error py2": TOLD,
    "stream view in spark mode": "pyspark is not installed here",
    "try import of an own module that fails to import": MISSING,
    "projection bound to a name": "Feast collects the projection as a second view of the same name, and then refuses to apply the two",
    "with_name": "Feast collects the projection as a second view of the same name, and then refuses to apply the two",
}

# The first releases of Feast that read a case so; older ones are not compared.
SINCE = {name: "0.67" for name in (
    "service of references", "service of references beside views", "service of pinned views", "references that are made", "service of a lance table",
    "service of a text", "services of one name with other references",
)}


class Native:
    """The native reader, as the program in read/."""

    def __init__(self, tmp: Path) -> None:
        self.program, self.tmp = tmp / "read", tmp
        subprocess.run(["go", "build", "-o", self.program, "./conformance/read"], cwd=ROOT, check=True, env=os.environ | {"CGO_ENABLED": "0"})

    def read(self, cases: list[corpus.Case]) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        while len(out) < len(cases):
            inputs = self.tmp / "cases.json"
            inputs.write_text(json.dumps([c.input() for c in cases[len(out):]]))
            run = subprocess.run([self.program, inputs], capture_output=True, text=True, cwd=self.tmp)
            out += [json.loads(line) for line in run.stdout.splitlines()]
            if run.returncode != 0 or len(out) < len(cases):
                if not run.stderr or len(out) == len(cases):
                    raise SystemExit(f"{self.program} ended with {run.returncode}: {run.stderr}")
                out.append({"broken": "it ended the program: " + run.stderr[:2000]})
        for case, answer in zip(cases, out):
            if case.dir and "objects" in answer:
                answer["objects"] = json.loads(json.dumps(answer["objects"]).replace(case.dir, "<root>"))
        return out


def value(answer: dict[str, Any]) -> Any:
    """What is compared: the objects, or the repr with its sets in order."""
    return answer["objects"] if "objects" in answer else ordered(answer["repr"])


def ordered(text: str) -> str:
    """A repr with the items of its sets sorted, since their order varies."""
    if "{" not in text:
        return text
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return text
    sets = [n for n in ast.walk(tree) if isinstance(n, ast.Set)]
    for n in sets:
        n.elts.sort(key=ast.unparse)
    return ast.unparse(tree) if sets else text


def older(name: str) -> bool:
    """Whether the installed Feast is older than the first that reads a case so."""
    number = lambda text: [int(n) for n in text.split(".")[:2]]
    return number(version("feast")) < number(SINCE.get(name, "0.0"))


def verdict(name: str, right: dict[str, Any], native: dict[str, Any]) -> str:
    if "broken" in native:
        return "different"
    if "error" in native:
        return "both refuse" if "error" in right else "refused"
    if "error" not in right and value(right) == value(native):
        return "equal"
    return "on purpose" if name in ON_PURPOSE else "different"


def difference(right: dict[str, Any], native: dict[str, Any]) -> str:
    """One line that describes the difference."""
    if "broken" in native:
        return native["broken"].splitlines()[0]
    if "error" in native:
        return native["error"].splitlines()[0]
    if "error" in right:
        return f"Python refuses it ({right['error'].splitlines()[0][:150]}), the native reader gives {summary(value(native))}"
    if "repr" in right:
        return f"{right['repr']} comes out as {native['repr']}"
    want, got = objects(right["objects"]), objects(native["objects"])
    lines = [f"lacks {k}" for k in want if k not in got] + [f"has {k} too many" for k in got if k not in want]
    lines += [f"{k}: {fields(want[k], got[k])}" for k in want if k in got and want[k] != got[k]]
    return "; ".join(lines) or "the objects are in another order"


def objects(registry: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for kind, items in registry.items():
        for item in items:
            name = f"{kind} {item.get('name') or item.get('spec', {}).get('name')}"
            while name in out:
                name += "'"
            out[name] = item
    return out


def fields(want: Any, got: Any) -> str:
    text = lambda v: json.dumps(v, indent=0, sort_keys=True, ensure_ascii=False).splitlines()
    lines = [line for line in difflib.unified_diff(text(want), text(got), lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))]
    return " ".join(lines)[:300]


def summary(v: Any) -> str:
    return v[:150] if isinstance(v, str) else ", ".join(objects(v)) or "nothing"


def compare(kind: str, cases: list[corpus.Case], native: Native, right: list[dict[str, Any]], args: argparse.Namespace) -> Counter[str]:
    count: Counter[str] = Counter()
    read = native.read(cases)
    for case, want, got in zip(cases, right, read):
        if older(case.name):
            count["of a later Feast"] += 1
            continue
        v = verdict(case.name, want, got)
        if case.name in ON_PURPOSE and v != "on purpose":
            print(f"{case.name}: {v} now; remove it from ON_PURPOSE")
        count[v] += 1
        if v == "different" or args.verbose:
            print(f"{v}: {case.name}: {difference(want, got) if v != 'equal' else summary(value(got))}")
        if args.verbose > 1:
            print(json.dumps({"python": want, "native": got}, indent=1, ensure_ascii=False).replace("\\n", "\n"))
    print(f"{len(cases)} {kind}: " + ", ".join(f"{n} {v}" for v, n in sorted(count.items())))
    return count


def verdicts(count: Counter[str], total: int, least: int, kind: str, args: argparse.Namespace) -> list[str]:
    """The requirements that are not met."""
    wrong = [f"{count['different']} {kind} are different in silence"] if count["different"] else []
    if not args.only and total < least:
        wrong.append(f"only {total} {kind} were compared; there must be {least}")
    return wrong


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", "--verbose", action="count", default=0, help="print every case; twice: with both answers")
    parser.add_argument("--only", metavar="WORDS", help="only the cases whose name contains this")
    parser.add_argument("--sweep", action=argparse.BooleanOptionalAction, help="only the sweep, or all but it")
    parser.add_argument("--fresh", action="store_true", help="run every case in Python again; otherwise results of earlier runs are reused")
    return parser.parse_args()


def main() -> int:
    args, start, wrong = arguments(), time.time(), []
    import record  # noqa: F401  loads Feast, for all children

    # If this directory stayed on the path, repositories could import our files.
    sys.path[:] = [p for p in sys.path if p not in (str(ROOT / "conformance"), str(ROOT / "definitions/testdata"))]
    chosen = lambda cases: [c for c in cases if not args.only or args.only in c.name]
    with tempfile.TemporaryDirectory() as tmp:
        native, known = Native(Path(tmp)), {c.name for c in corpus.repositories()}
        wrong += [f"{name} is in SINCE and is no case" for name in SINCE if name not in known]
        repositories, pieces = chosen(corpus.repositories()), chosen(corpus.pieces())
        for number, case in enumerate(repositories):
            case.write(Path(tmp) / "repos" / str(number))
        right = corpus.answers(corpus.feast, repositories, args.fresh)
        if not args.sweep:
            count = compare("repositories", repositories, native, right, args)
            wrong += verdicts(count, len(repositories), REPOSITORIES, "repositories", args)
            readable = sum("objects" in r for r in right)
            share = count["equal"] / max(readable, 1)
            print(f"{readable} of them are read by Feast, {share:.1%} of those natively")
            if share < SHARE and not args.only:
                wrong.append(f"only {share:.1%} of the repositories that Feast reads are read natively; {SHARE:.0%} must be")
            count = compare("pieces of Python", pieces, native, corpus.answers(corpus.cpython, pieces, args.fresh), args)
            wrong += verdicts(count, len(pieces), PIECES, "pieces of Python", args)
        if args.sweep is not False:
            wrong += sweep.run(native, repositories, right, Path(tmp), args)
    print(f"compared in {time.time() - start:.0f} s")
    for line in wrong:
        print("FAIL:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets come in the same order each time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    sys.path.append(str(ROOT / "definitions/testdata"))
    sys.exit(main())
