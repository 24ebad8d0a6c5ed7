"""The repositories and pieces of Python in cases/, and the results of Feast and CPython for them.

cases/README.md describes the files.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import signal
import sys
import tempfile
import types
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

CASES = Path(__file__).parent / "cases"
KEPT = Path(__file__).resolve().parent.parent / ".cache/conformance/definitions.json"  # Python's answers
PREAMBLE = '''from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, RequestSource, ValueType
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String
E = Entity(name="E", join_keys=["e_id"], value_type=ValueType.INT64)
def V(name, *fields, **kw):
    return FeatureView(name=name, entities=[E], schema=[Field(name="e_id", dtype=Int64)] + [f if isinstance(f, Field) else Field(name=f, dtype=Float32) for f in fields or ["x"]], source=FileSource(name=name + "_src", path="data/x.parquet", timestamp_field="ts"), **kw)
'''
# The complete environment of the files, in Feast and in the native reader.
ENV = {"HOME": "/root", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "FEAST_USAGE": "False", "BANQUET_SET": "from the environment"}
TIMEOUT = 20  # seconds for one case in Python
ENDLESS = "it ended without an answer"
DIRECTIVE = re.compile(r"#(NOPRE|ENV \w+=.*|WRITE [\w -]+)$")


@dataclass
class Case:
    name: str
    files: dict[str, bytes] = field(default_factory=dict)  # of a repository
    source: str = ""  # of a piece, which binds the repr of its value to __text
    env: dict[str, str] = field(default_factory=dict)
    dir: str = ""  # where a repository has been written

    def write(self, base: Path) -> None:
        root = base / "feature_repo"
        for name, data in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        self.dir = str(root.resolve())

    def key(self) -> str:
        """The input on which Python's result depends."""
        text = repr((sorted(self.files.items()), self.source, self.env, ENV, sys.version, version("feast")))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def input(self) -> dict[str, Any]:
        return {"dir": self.dir, "source": self.source, "env": ENV | self.env}


def encoded(text: str, how: str) -> bytes:
    """The bytes of a file, written as its #WRITE line says."""
    if "no-newline" in how:
        text = text.rstrip("\n")
    if "crlf" in how:
        text = text.replace("\n", "\r\n")
    if "escapes" in how:
        text = re.sub(r"<([0-9A-F]{2,4})>", lambda m: chr(int(m[1], 16)), text)
    data = text.encode("latin-1" if "latin-1" in how else "utf-8")
    return b"\xef\xbb\xbf" + data if "bom" in how else data


def repository(name: str, text: str) -> Case:
    case = Case(name)
    parts = re.split(r"^#FILE (.+)\n", text, flags=re.M)
    for path, body in zip(["features.py"] + parts[1::2], parts[0::2]):
        lines, how = [], ""
        pre = path == "features.py" and len(case.files) == 0
        for line in body.splitlines(keepends=True):
            directive = DIRECTIVE.match(line.rstrip("\n"))
            if not directive:
                lines.append(line)
            elif line.startswith("#ENV "):
                key, _, value = line[5:].rstrip("\n").partition("=")
                case.env[key] = value
            elif line.startswith("#WRITE "):
                how = line
            else:
                pre = False
        case.files[path] = encoded((PREAMBLE if pre else "") + "".join(lines), how)
    return case


def repositories() -> list[Case]:
    cases = []
    for path in sorted(CASES.glob("repositories*.txt")):
        blocks = re.split(r"^===== (.+)\n", path.read_text("utf-8"), flags=re.M)
        cases += [repository(name.strip(), text) for name, text in zip(blocks[1::2], blocks[2::2])]
    return unique(cases)


def pieces() -> list[Case]:
    cases = []
    for path in sorted(CASES.glob("expressions*.txt")):
        at = 1
        for text in re.split(r"^---\n", path.read_text("utf-8"), flags=re.M):
            env = dict(line[5:].partition("=")[::2] for line in text.splitlines() if line.startswith("#ENV "))
            cases.append(Case(f"{path.name}:{at}", source=valued(text), env=env))
            at += text.count("\n") + 1
    return unique(cases)


def unique(cases: list[Case]) -> list[Case]:
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            raise SystemExit(f"two cases have the name {case.name!r}")
        seen.add(case.name)
    return cases


def valued(text: str) -> str:
    """A piece that binds the repr of its last expression; a piece that is not Python stays as it is."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return text
    if not body or not isinstance(body[-1], ast.Expr):
        return text
    last, lines = body[-1], text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: last.lineno - 1])) + last.col_offset
    end = sum(map(len, lines[: last.end_lineno - 1])) + last.end_col_offset
    raw = text.encode()
    return (raw[:start] + b"__value = (" + raw[start:end] + b")" + raw[end:]).decode().rstrip("\n") + "\n__text = repr(__value)\n"


def feast(case: Case) -> dict[str, Any]:
    """The result of Feast's parse_repo for a repository."""
    from record import load

    os.chdir(case.dir)
    sys.path.append(case.dir)
    return {"objects": load(Path(case.dir))}


def cpython(case: Case) -> dict[str, Any]:
    """The repr of the value of a piece."""
    module = types.ModuleType("program")
    sys.modules["program"] = module
    exec(compile(case.source, "program.py", "exec", dont_inherit=True), module.__dict__)
    return {"repr": module.__dict__["__text"]}


def child(read: Callable[[Case], dict[str, Any]], case: Case, out: str) -> None:
    """The body of a child: it writes its result to a file."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    signal.alarm(TIMEOUT)
    for name in set(os.environ) - {"PYTHONHASHSEED"}:
        del os.environ[name]
    os.environ.update(ENV | case.env)
    sys.argv[:] = ["feast", "apply"]
    sys.dont_write_bytecode = True
    try:
        answer = read(case)
    except BaseException as e:  # noqa: BLE001 the text is what is compared
        try:
            text = str(e)
        except Exception:  # noqa: BLE001
            text = "?"
        answer = {"error": f"{type(e).__name__}: {text}"}
    with open(out, "w", encoding="utf-8", errors="surrogatepass") as f:
        json.dump(answer, f)


def ask(read: Callable[[Case], dict[str, Any]], cases: list[Case]) -> list[dict[str, Any]]:
    """Runs each case in Python, in a separate child, a few at a time."""
    with tempfile.TemporaryDirectory() as tmp:
        running: set[int] = set()
        for number, case in enumerate(cases):
            while len(running) >= (os.cpu_count() or 1):
                running.discard(os.wait()[0])
            pid = os.fork()
            if pid == 0:
                try:
                    child(read, case, f"{tmp}/{number}")
                finally:
                    os._exit(0)
            running.add(pid)
        for pid in running:
            os.waitpid(pid, 0)
        out = []
        for number, case in enumerate(cases):
            path = Path(tmp, str(number))
            text = path.read_text("utf-8", "surrogatepass") if path.exists() else ""
            if case.dir:
                text = text.replace(case.dir, "<root>")
            out.append(json.loads(text) if text else {"error": ENDLESS})
        return out


def answers(read: Callable[[Case], dict[str, Any]], cases: list[Case], fresh: bool) -> list[dict[str, Any]]:
    """Python's results; results of earlier runs are reused unless fresh is set."""
    kept: dict[str, Any] = {}
    if KEPT.exists() and not fresh:
        kept = json.loads(KEPT.read_text("utf-8"))
    keys = [case.key() for case in cases]
    new = [(key, case) for key, case in zip(keys, cases) if key not in kept]
    kept.update(zip([key for key, _ in new], ask(read, [case for _, case in new])))
    if new:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(kept), "utf-8")
    return [kept[key] for key in keys]
