#!/usr/bin/env python3
"""Reads every recorded repository natively and with Python, and compares the two.

Also applies on-demand functions with --python, and lets the real Feast load and
run what came to the registry.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import warm

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "definitions" / "testdata"
YAML = "project: {project}\nprovider: local\nregistry: registry.db\nentity_key_serialization_version: 3\n"
ENV = dict(os.environ, FEAST_USAGE="False", NO_COLOR="1", BANQUET_SET="from the environment")
SAME = "readers: Python and the native reader give the same"
REFUSED = "readers: the native reader refuses the repository"

# What Feast reads and the native reader refuses, and what Feast's registry
# refuses after its reader did not.
REFUSED_NATIVELY = {
    "source_filesource_path_": "an empty path names no file",
    "source_pushsource_name_": "an empty name names nothing",
    "source_requestsource_name_schema_": "an empty name names nothing",
}
REFUSED_AT_APPLY = {
    "two_projects": "one project is allowed",
    "projections_bound": "a projection has the name of its view",
    "label_views": "a label view has no entities",
    "on_demand_without_function": "neither function nor aggregations",
}


def run(*args: str, cwd: Path, env: dict = ENV) -> subprocess.CompletedProcess:
    return subprocess.run(args, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def project(record: dict) -> str:
    """The name that the repository's Project has."""
    found = record.get("registry", {}).get("projects", [])
    return found[0]["spec"]["name"] if found else "p"


def compare(banquet: str, python: str, source: Path, work: Path) -> str:
    """Gives what is wrong with a recorded repository."""
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
    if "error" in record or source.stem in REFUSED_AT_APPLY:
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

print("what is printed is not taken for an answer")
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
    """Functions with closures and defaults come to the registry as Feast pickles them, and are renewed."""
    repo = work / "functions"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(YAML.format(project="p"))
    (repo / "features.py").write_text(FUNCTIONS)
    for factor, plan in ((2, "Created on demand feature view scaled"), (3, "No changes to registry")):
        (repo / "factors.py").write_text(f"FACTOR = {factor}\n")
        for args in (("plan", "--skip-source-validation"), ("apply", "--skip-source-validation")):
            p = run(banquet, *args, f"--python={sys.executable}", cwd=repo)
            assert p.returncode == 0 and p.stderr == "", p.stdout + p.stderr
            assert args[0] == "apply" or plan in p.stdout, p.stdout
            assert "not taken" not in p.stdout, p.stdout
        p = run(sys.executable, "-W", "ignore", "-c", LOAD, cwd=repo)
        assert p.returncode == 0, p.stderr
        got = json.loads(p.stdout.splitlines()[-1])
        assert got == {"scaled_km": [15.0 * factor]}, got
    feast = str(Path(sys.executable).with_name("feast"))
    p = run(feast, "plan", "--skip-source-validation", cwd=repo)
    assert p.returncode == 0 and "No changes to registry" in p.stdout, p.stdout + p.stderr


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--only", default="")
    opt = args.parse_args()
    sources = sorted((RECORDED / "cases").glob("*.py")) + sorted(p for p in (RECORDED / "repos").iterdir() if p.is_dir())
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bothreaders") as work:
        with warm.python() as python:
            for source in sources:
                if opt.only in source.stem and (wrong := compare(opt.banquet, python, source, Path(work))):
                    failed += 1
                    print(f"FAIL {source.stem}: {wrong.strip()}", flush=True)
        print(f"{len(sources)} repositories are read by both readers, {failed} differ", flush=True)
        if not opt.only:
            functions(opt.banquet, Path(work))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
