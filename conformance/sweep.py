"""The sweep: puts something unreadable at every statement of many repositories.

Each time the native reader must refuse, or return exactly the objects of the unchanged repository, or
those that Feast reads from the changed one. Never fewer.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import corpus

REPOSITORIES = 20
UNREADABLE = [
    "import unknownlib; thing_made = unknownlib.make()",
    "from unknownlib import thing_found",
    "import os; region_set = os.environ['NOT_SET_AT_ALL']",
    "exec('pass')",
    "try: pass\nexcept* ValueError: pass",
    "undefined_name",
    "import os; os.environ['AWS_REGION'] = 'eu-west-1'",
    "from unknownlib.features import *",
    "class OddOne(metaclass=__import__('abc').ABCMeta): pass",
    "import unknownlib as ul; ul.register(globals())",
]


def chosen(repositories: list[corpus.Case], right: list[dict[str, Any]], native: list[dict[str, Any]]) -> list[tuple[corpus.Case, Any]]:
    """The repositories with the most objects that both read alike."""
    alike = [(c, r["objects"]) for c, r, n in zip(repositories, right, native) if "objects" in r and r["objects"] == n.get("objects")]
    size = lambda case: sum(len(items) for items in case[1].values()) + 3 * len(case[0].files)
    return sorted(alike, key=size, reverse=True)[:REPOSITORIES]


def places(source: str) -> Iterator[int]:
    """The lines, from 0, before which a statement of the module can be inserted; none if it is not Python."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return
    seen = set()
    for s in body:
        line = min([s.lineno] + [d.lineno for d in getattr(s, "decorator_list", [])]) - 1
        late = isinstance(s, ast.ImportFrom) and s.module == "__future__"
        if not late and line not in seen and s.col_offset == 0:
            seen.add(line)
            yield line
    yield len(source.splitlines())


def variants(case: corpus.Case) -> Iterator[corpus.Case]:
    for path, data in case.files.items():
        if not path.endswith(".py"):
            continue
        source = data.decode()
        lines = source.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        for line in places(source):
            for text in UNREADABLE:
                changed = "".join(lines[:line]) + text + "\n" + "".join(lines[line:])
                name = f"{case.name}: {text.splitlines()[0]!r} in front of {path}:{line + 1}"
                yield corpus.Case(name, files=case.files | {path: changed.encode()}, env=case.env)


def run(native: Any, repositories: list[corpus.Case], right: list[dict[str, Any]], tmp: Path, args: argparse.Namespace) -> list[str]:
    taken = chosen(repositories, right, native.read(repositories))
    cases, before = [], []
    for case, objects in taken:
        for variant in variants(case):
            variant.write(tmp / "sweep" / str(len(cases)))
            cases.append(variant)
            before.append(objects)
    read = native.read(cases)
    count: Counter[str] = Counter()
    open_ = []  # only Feast can tell whether these are right
    for case, objects, got in zip(cases, before, read):
        if "error" in got:
            count["refused"] += 1
        elif got.get("objects") == objects:
            count["all objects"] += 1
        else:
            open_.append((case, got))
    for (case, got), want in zip(open_, corpus.answers(corpus.feast, [case for case, _ in open_], args.fresh)):
        same = "objects" in want and want["objects"] == got.get("objects")
        count["what Feast reads"] += same
        count["different"] += not same
        if not same:
            print(f"sweep: different: {case.name}")
    print(f"sweep: {len(cases)} times in {len(taken)} repositories: " + ", ".join(f"{n} {v}" for v, n in sorted(count.items()) if n))
    wrong = [f"{count['different']} times the sweep lost or changed objects in silence"] if count["different"] else []
    if len(taken) < REPOSITORIES and not args.only:
        wrong.append(f"the sweep found {len(taken)} repositories; there must be {REPOSITORIES}")
    return wrong
