#!/usr/bin/env python3
"""Reads the recorded repositories and those of cases/ natively and with Python, and compares the two.

Everything that Feast reads must be read with --python; the native reader gives the same or refuses. Also
checks the errors of failing code, applies on-demand functions with --python, and lets the real
Feast load and run the functions in the registry.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import corpus
import warm

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "definitions" / "testdata"
YAML = "project: {project}\nprovider: local\nregistry: registry.db\nentity_key_serialization_version: 3\n"
ENV = dict(os.environ, FEAST_USAGE="False", NO_COLOR="1", BANQUET_SET="from the environment")
SAME = "readers: Python and the native reader agree"
REFUSED = "readers: the native reader cannot read the repository"

# Cases that Feast reads and the native reader refuses, and cases that Feast's
# registry refuses although its reader accepts them.
REFUSED_NATIVELY = {
    "source_filesource_path_": "an empty path does not name a file",
    "source_pushsource_name_": "an empty name names nothing",
    "source_requestsource_name_schema_": "an empty name names nothing",
}
REFUSED_AT_APPLY = {
    "two_projects": "only one project is allowed",
    "label_views": "a label view has no entities",
    "on_demand_without_function": "neither function nor aggregations",
}
# Cases that were recorded with Feast 0.67 and that 0.66 does not read so.
SINCE_067 = {"service_references", "service_arg_features_v_", "service_of_a_bad_version", "source_spark_lance"}

# Drivers that are not installed here: sources of their stores were recorded elsewhere.
DRIVERS = ("clickhouse_connect", "couchbase_columnar", "pymongo", "ray", "trino")


def run(*args: str, cwd: Path, env: dict = ENV) -> subprocess.CompletedProcess:
    return subprocess.run(args, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def project(record: dict) -> str:
    """The name that the repository's Project has."""
    found = record.get("registry", {}).get("projects", [])
    return found[0]["spec"]["name"] if found else "p"


def doubled(objects: dict) -> bool:
    """Whether a name occurs twice, which Feast's reader accepts and no registry does: among views and sources, or among other objects that differ."""
    views = [o for kind in ("featureViews", "streamFeatureViews", "onDemandFeatureViews", "labelViews") for o in objects.get(kind, ())]
    seen: dict = {}
    for kind, items in {**objects, "views": views}.items():
        once = kind in ("views", "dataSources")
        for o in items:
            name = (o if kind == "dataSources" else o["spec"]).get("name", "")
            first = seen.setdefault((kind, name.lower() if once else name), o)
            if first is not o and (once or first != o):
                return True
    return False


def compare(banquet: str, python: str, source: Path, work: Path) -> str:
    """Returns the faults of a recorded repository."""
    record = json.loads(source.with_suffix(".json").read_text())
    repo = work / source.stem
    if source.is_dir():
        shutil.copytree(source, repo)
    else:
        repo.mkdir()
        shutil.copy(source, repo / "features.py")
    (repo / "feature_store.yaml").write_text(YAML.format(project=project(record)))
    p = run(banquet, "validate", f"--python={python}", cwd=repo)
    readers = [line for line in (p.stdout + p.stderr).splitlines() if "readers: " in line]
    if any(f"No module named '{driver}'" in p.stderr for driver in DRIVERS):
        return ""
    if "error" in record or source.stem in REFUSED_AT_APPLY or doubled(record["registry"]):
        return "" if p.returncode == 1 and not readers and "Traceback" not in p.stderr and p.stderr.count("\n") <= 6 else f"want a refusal, got {p.stdout}{p.stderr}"
    if len(readers) != 1:
        return p.stdout + p.stderr
    want = REFUSED if source.stem in REFUSED_NATIVELY else SAME
    return "" if readers[0].startswith(want) else readers[0]


FUNCTIONS = '''
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64
from factors import FACTOR

print("printed text is not read as a result")
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
trips = FeatureView(name="trips", entities=[driver], schema=[Field(name="km", dtype=Float64)], source=FileSource(path="trips.parquet", timestamp_field="ts"))
def scaled(by):
    @on_demand_feature_view(name="scaled", sources=[trips], schema=[Field(name="scaled_km", dtype=Float64)], mode="python")
    def scale(inputs, factor=FACTOR):
        return {"scaled_km": [v * factor * by for v in inputs["km"]]}
    return scale
scaled_view = scaled(10)
'''
LOAD = '''
import json
from feast import FeatureStore
v = FeatureStore(repo_path=".").get_on_demand_feature_view("scaled")
print(json.dumps(v.feature_transformation.udf({"km": [1.5]})))
'''


def functions(banquet: str, work: Path) -> None:
    """Functions with closures and defaults are stored in the registry as Feast pickles them, and are updated."""
    repo = work / "functions"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(YAML.format(project="p"))
    (repo / "features.py").write_text(FUNCTIONS)
    for factor, plan in ((2, "Created on demand feature view scaled"), (3, "No changes to registry")):
        (repo / "factors.py").write_text(f"FACTOR = {factor}\n")
        for args in (("plan", "--skip-source-validation"), ("apply", "--skip-source-validation")):
            p = run(banquet, *args, f"--python={sys.executable}", cwd=repo)
            warnings = p.stderr.splitlines() # banquet does not compute such a function, and says so
            assert p.returncode == 0 and len(warnings) <= 1, p.stdout + p.stderr
            assert all(line.startswith('warning: features.py:12: on-demand feature view "scaled" cannot be computed') for line in warnings), p.stderr
            assert args[0] == "apply" or plan in p.stdout, p.stdout
            assert "not taken" not in p.stdout, p.stdout
        p = run(sys.executable, "-W", "ignore", "-c", LOAD, cwd=repo)
        assert p.returncode == 0, p.stderr
        got = json.loads(p.stdout.splitlines()[-1])
        assert got == {"scaled_km": [15.0 * factor]}, got
    feast = str(Path(sys.executable).with_name("feast"))
    plan = ("plan", "--skip-source-validation")
    p = run(feast, *plan, cwd=repo)
    assert p.returncode == 0 and "No changes to registry" in p.stdout, p.stdout + p.stderr
    (repo / "registry.db").unlink()
    p = run(feast, "apply", "--skip-source-validation", cwd=repo)
    assert p.returncode == 0, p.stdout + p.stderr
    p = run(banquet, *plan, f"--python={sys.executable}", cwd=repo)
    assert p.returncode == 0 and "No changes to registry" in p.stdout, p.stdout + p.stderr


# Cases that Feast reads, whose message has no JSON form to compare.
ONLY_AS_TEXT = {"ttl huge"}


def small(banquet: str, python: str, case: corpus.Case, right: dict, work: Path) -> str:
    """Returns the faults of a repository of cases/."""
    shutil.rmtree(work / "again", ignore_errors=True)
    case.write(work / "again")  # Feast has run the code in the other one
    repo = Path(case.dir)
    (repo / "feature_store.yaml").write_text(YAML.format(project=project(dict(registry=right.get("objects", {})))))
    p = run(banquet, "validate", f"--python={python}", cwd=repo, env=corpus.ENV | {"NO_COLOR": "1"} | case.env)
    readers = [line for line in (p.stdout + p.stderr).splitlines() if "readers: " in line]
    if p.returncode == 1 and "Feast refuses" in p.stderr and not readers:
        return ""  # refused by the checks that Feast makes at apply
    if case.name in ONLY_AS_TEXT:
        return "" if readers else p.stdout + p.stderr
    if "objects" not in right or doubled(right["objects"]):
        short = p.stderr.count("\n") <= 6 and "Traceback" not in p.stderr
        return "" if p.returncode == 1 and not readers and short else f"want a refusal, got {p.stdout}{p.stderr}"
    return "" if len(readers) == 1 and readers[0].startswith((SAME, REFUSED)) else "".join(readers) or p.stderr


HEAD = "from feast import *\nimport os, sys\n"
ERRORS = [
    ("x = 1/0", "features.py:3:5: ZeroDivisionError: division by zero\n    x = 1/0\n        ^\n"),
    ('é = "é"; x = 1/0', 'features.py:3:14: ZeroDivisionError: division by zero\n    é = "é"; x = 1/0\n                 ^\n'),
    ("x = (1", "features.py:3:5: SyntaxError: '(' was never closed\n    x = (1\n        ^\n"),
    ("  x = 1", "features.py:3:3: IndentationError: unexpected indent\n      x = 1\n      ^\n"),
    ("sys.exit(3)", "features.py:3:1: the file ends the program with sys.exit(3)\n    sys.exit(3)\n    ^\n"),
    ("os._exit(3)", "{python} ended with exit status 3 before the repository was read\n"),
    ("import signal; os.kill(os.getpid(), signal.SIGKILL)", "{python} ended by signal: killed before the repository was read\n"),
    ("import ctypes; ctypes.string_at(0)", "features.py:3: {python} ended by signal: segmentation fault before the repository was read; it last said: Fatal Python error: Segmentation fault\n"),
    ("import nothing", "features.py:3:1: ModuleNotFoundError: No module named 'nothing'; install it for {python}\n    import nothing\n    ^\n"),
    ('os.environ["NOT_SET"]', "features.py:3:1: KeyError: 'NOT_SET'\n    os.environ[\"NOT_SET\"]\n    ^\n"),
    ('exec("1/0")', 'features.py:3:1: ZeroDivisionError: division by zero\n    exec("1/0")\n    ^\n'),
    ("print(1); input()", "features.py:3:11: EOFError: EOF when reading a line\n    print(1); input()\n              ^\n"),
    ('v = FeatureView(name="v:w", source=None)', "features.py: Feast refuses FeatureView v:w: ValueError: Feature view name 'v:w' must not contain ':'. The ':' character is reserved as the separator in fully qualified feature references (e.g., 'feature_view:feature_name').\n"),
    ('a, b = Entity(name="e"), Entity(name="e", owner="o")', "features.py: Entity e is defined twice, as a in features.py and as b in features.py; use one object for both or give one another name\n"),
]


def errors(banquet: str, work: Path) -> None:
    """An error in the code is reported with its place, in a few lines."""
    repo = work / "errors"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(YAML.format(project="p"))
    for source, want in ERRORS:
        (repo / "features.py").write_text(HEAD + source + "\n")
        p = run(banquet, "apply", f"--python={sys.executable}", cwd=repo)
        got = p.stderr.replace(" (core dumped)", "")
        assert p.returncode == 1 and got == "banquet: " + want.format(python=sys.executable), f"{source}:\n{p.stdout}{got}"


def stopped(banquet: str, work: Path) -> None:
    """Code that hangs ends with banquet, together with all processes that it started."""
    repo = work / "stopped"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(YAML.format(project="p"))
    (repo / "features.py").write_text('import subprocess, time\np = subprocess.Popen(["sleep", "600"])\nopen("pid", "w").write(str(p.pid) + "\\n")\ntime.sleep(600)\n')
    p = subprocess.Popen([banquet, "apply", f"--python={sys.executable}"], cwd=repo, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pid = repo / "pid"
    while not pid.exists() or not pid.read_text().endswith("\n"):
        assert p.poll() is None, p.stdout.read()
        time.sleep(0.05)
    began = time.monotonic()
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=30)
    assert p.returncode == 1 and out == "banquet: stopped; nothing is changed\n", out
    assert time.monotonic() - began < 5, "it does not stop at once"
    stat = Path(f"/proc/{pid.read_text().strip()}/stat")
    for _ in range(100):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("what the repository has started goes on")


def repositories(banquet: str, only: str, work: Path) -> int:
    """Compares the readers on every repository; returns how many are wrong."""
    recorded = sorted((RECORDED / "cases").glob("*.py")) + sorted(p for p in (RECORDED / "repos").iterdir() if p.is_dir())
    older = [int(n) for n in version("feast").split(".")[:2]] < [0, 67]
    recorded = [p for p in recorded if only in p.stem and not (older and p.stem in SINCE_067)]
    cases = [c for c in corpus.repositories() if only in c.name]
    for number, case in enumerate(cases):
        case.write(work / "small" / str(number))
    right = corpus.answers(corpus.feast, cases, fresh=False)  # definitions.py has just asked
    ends = [(c, r) for c, r in zip(cases, right) if r.get("error") != corpus.ENDLESS]
    failed = 0
    with warm.python() as python:
        checks = [(p.stem, lambda p=p: compare(banquet, python, p, work)) for p in recorded]
        checks += [(c.name, lambda c=c, r=r: small(banquet, python, c, r, work)) for c, r in ends]
        for name, check in checks:
            if wrong := check():
                failed += 1
                print(f"FAIL {name}: {wrong.strip()}", flush=True)
    print(f"{len(checks)} repositories are read with --python, {failed} are wrong", flush=True)
    return failed


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--only", default="")
    opt = args.parse_args()
    import record  # noqa: F401  loads Feast, for all children

    sys.path[:] = [p for p in sys.path if p not in (str(ROOT / "conformance"), str(RECORDED))]
    with tempfile.TemporaryDirectory(prefix="bothreaders") as tmp:
        work = Path(tmp).resolve()
        failed = repositories(opt.banquet, opt.only, work)
        if not opt.only:
            for check in (functions, errors, stopped):
                check(opt.banquet, work)
    return 1 if failed else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets come in the same order each time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    sys.path.append(str(RECORDED))
    sys.exit(main())
