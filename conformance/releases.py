"""What two releases of Feast and banquet read of each other's registries and tables.

Feast 0.67 applies and materializes a repository, banquet applies a change and materializes again. Feast
0.67 and 0.66 must then read the same features as banquet, and everything that 0.67 wrote must be there,
with the fields of a release that none of them knows. Vectors that materialize refuses are refused with
the same words.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

YAML = """project: shared
provider: local
registry:
  path: registry.db
  enable_online_feature_view_versioning: {versioned}
online_store: {{type: sqlite, path: online.db}}
offline_store: {{type: file}}
entity_key_serialization_version: 3
"""
DEFINITIONS = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Float32, Float64, Int64
user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64, tags={{"team": "a"}})
rows = FileSource(name="rows", path="rows.parquet", timestamp_field="ts", created_timestamp_column="made")
clicks = FeatureView(name="clicks", entities=[user], ttl=timedelta(days=0), schema=[Field(name="n", dtype=Int64), Field(name="rate", dtype=Float64)], source=rows, tags={{"state": "{state}"}})
spent = FeatureView(name="spent", entities=[user], ttl=timedelta(days=0), schema=[Field(name="near", dtype=Array(Float32), vector_index=True, vector_length=2, vector_search_metric="cosine")],
                    source=PushSource(name="push", batch_source=rows))
@on_demand_feature_view(sources=[clicks], schema=[Field(name="twice", dtype=Float64)], mode="python")
def computed(inputs):
    return {{"twice": [2 * r for r in inputs["rate"]]}}
whole = FeatureService(name="whole", features=[clicks, spent])
"""
BY_TEXT = 'first = FeatureService(name="first", features=["clicks@v0:n", "spent:near"], tags={"a": "b"})\n'
WRITE = """
import datetime, pathlib, sys
from feast import FeatureStore, repo_operations
from feast.repo_config import load_repo_config
repo = pathlib.Path(".").resolve()
for text in sys.argv[1:]:
    (repo / "features.py").write_text(pathlib.Path(text).read_text())
    sys.modules.pop("features", None)
    repo_operations.apply_total(load_repo_config(repo, repo / "feature_store.yaml"), repo, True)
FeatureStore(repo_path=".").materialize(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 4))
"""
READ = """
import json, sys
from feast import FeatureStore
rows, out = [{"user_id": n} for n in (1, 2, 3, 9)], {}
def read(fs, features):
    return fs.get_online_features(features=features, entity_rows=rows, full_feature_names=True).to_dict()
fs = FeatureStore(repo_path=".")
out["refs"], out["whole"] = read(fs, ["clicks:n", "clicks:rate", "spent:near"]), read(fs, fs.get_feature_service("whole"))
out["lists"] = [sorted(o.name for o in objects) for objects in (fs.list_all_feature_views(), fs.list_feature_services(), fs.list_entities(), fs.list_data_sources())]
if len(sys.argv) > 1:
    fs = FeatureStore(repo_path=".", fs_yaml_file=sys.argv[1])
    out["pinned"] = {s: read(fs, fs.get_feature_service(s)) for s in ("whole", "first")}
print(json.dumps(out, default=str))
"""
LATER = 31999  # the number of a field that no release has


def run(w: Any, python: str, repo: Path, code: str, *args: str) -> str:
    """Runs a program with a release of Feast; returns its last line."""
    p = subprocess.run([python, "-W", "ignore", "-c", code, *args], cwd=repo, env=dict(w.env, TZ="UTC"), capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, f"{python}: {p.stdout[-1000:]}{p.stderr[-3000:]}"
    return (p.stdout.strip().splitlines() or [""])[-1]


def define(file: Path, state: str, text: str = "") -> None:
    file.write_text(DEFINITIONS.format(state=state) + text)


def registry(repo: Path) -> Any:
    from feast.protos.feast.core.Registry_pb2 import Registry
    return Registry.FromString((repo / "registry.db").read_bytes())


def of_later_release(repo: Path) -> int:
    """Adds a field that no release has to every definition; returns how many there are."""
    tag = LATER << 3 | 2
    field = bytes([tag & 0x7F | 0x80, tag >> 7 & 0x7F | 0x80, tag >> 14]) + b"\x05later"
    reg, count = registry(repo), 0
    for kind in ("entities", "data_sources", "feature_views", "on_demand_feature_views", "feature_services"):
        for m in getattr(reg, kind):
            for part in [m] + [getattr(m, name) for name in ("spec", "meta") if name in m.DESCRIPTOR.fields_by_name] + [f for f in getattr(getattr(m, "spec", None), "features", [])]:
                part.MergeFromString(field)
                count += 1
    (repo / "registry.db").write_bytes(reg.SerializeToString())
    return count


def compare(w: Any, equal: Any) -> None:
    """w is the comparison's World."""
    old, new = os.environ["FEAST066_PYTHON"], os.environ["FEAST067_PYTHON"]
    repo = w.work / "releases"
    repo.mkdir()
    frame = pd.DataFrame({"user_id": [1, 2, 3], "n": [10, 20, 30], "rate": [0.5, float("nan"), 1e16], "city": ["a", "b", None], "near": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
                          "ts": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True), "made": pd.to_datetime(["2024-02-01"] * 3, utc=True)})
    frame.to_parquet(repo / "rows.parquet")
    (repo / "feature_store.yaml").write_text(YAML.format(versioned="false"))
    for name, text in (("one", ""), ("two", BY_TEXT)):
        define(repo / f"{name}.txt", "first", text)
    run(w, new, repo, WRITE, "one.txt", "two.txt")
    assert "No changes to registry" in w.run(w.banquet, repo, "plan"), "banquet's plan changes what Feast 0.67 applied"
    fields = of_later_release(repo)
    before = registry(repo)
    for text in ("first", "second"):
        define(repo / "features.py", text, BY_TEXT)
        out = w.run(w.banquet, repo, "apply")
        assert ("No changes" in out) == (text == "first"), out
    w.run(w.banquet, repo, "materialize", "2024-01-01T00:00:00", "2024-01-05T00:00:00", TZ="UTC")
    after = registry(repo)
    kept = after.SerializeToString().count(b"\x05later")
    assert kept >= fields, f"{fields} fields of a later release were in the definitions, {kept} are"
    for kind in ("entities", "data_sources", "on_demand_feature_views", "feature_services"):
        equal(f"{kind} after banquet's apply", sorted(map(str, getattr(before, kind))), sorted(map(str, getattr(after, kind))))
    (repo / "versioned.yaml").write_text(YAML.format(versioned="true"))
    want = json.loads(run(w, new, repo, READ, str(repo / "versioned.yaml")))
    pinned = want.pop("pinned")
    equal("what Feast 0.66 reads", want, json.loads(run(w, old, repo, READ)))
    (repo / "feature_store.yaml").write_text(YAML.format(versioned="true"))
    with w.serving(repo) as at:
        equal("what banquet serves", {s: {n: [str(v) for v in c] for n, c in columns.items()} for s, columns in pinned.items()}, served(at, *pinned))


def served(at: dict, *services: str) -> dict:
    from conformance import post
    out = {}
    for s in services:
        a = post(f"http://{at['http']}/get-online-features", {"feature_service": s, "entities": {"user_id": [1, 2, 3, 9]}, "full_feature_names": True})
        out[s] = dict(zip(a["metadata"]["feature_names"], [[str(v) for v in r["values"]] for r in a["results"]]))
    return out


VECTORS = [  # lengths of the rows' vectors, -1 is a null; the declared length
    ([2, 2, 2], 2), ([2, 3, 2], 2), ([2, 2, 3], 0), ([3, 2, 2], 0), ([-1, 2, 3], 0), ([-1, -1, 2], 2), ([-1, -1, -1], 2), ([-1, -1, -1], 0), ([0, 0, 0], 0), ([0, 2, 2], 0), ([-2, -2, -2], 2), ([-2, -2, -2], 0),
]


def vectors(w: Any) -> None:
    """Vectors of several lengths: both programs refuse the same, with the same words."""
    from feast import FeatureStore

    if [int(n) for n in version("feast").split(".")[:2]] < [0, 67]:
        print(f"     Feast {version('feast')} checks no vectors")
        return
    base = w.work / "vectors"
    for number, (lengths, declared) in enumerate(VECTORS):
        said = {}
        for who in ("feast", "banquet"):
            repo = base / f"{number}_{who}"
            repo.mkdir(parents=True)
            (repo / "feature_store.yaml").write_text(YAML.format(versioned="false"))
            cells = [None if n == -1 else 1.5 if n == -2 else [float(i) for i in range(n)] for n in lengths]
            pd.DataFrame({"user_id": [1, 2, 3], "near": cells, "ts": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True)}).to_parquet(repo / "rows.parquet")
            (repo / "features.py").write_text(
                "from feast import Entity, FeatureView, Field, FileSource, ValueType\nfrom feast.types import Array, Float32\n"
                "e = Entity(name='user', join_keys=['user_id'], value_type=ValueType.INT64)\nv = FeatureView(name='fv', entities=[e],\n"
                f"    schema=[Field(name='near', dtype=Array(Float32), vector_index=True, vector_length={declared})], source=FileSource(name='s', path='rows.parquet', timestamp_field='ts'))\n")
            w.run(w.banquet, repo, "apply")
            if who == "banquet":
                p = subprocess.run([w.banquet, "materialize", "2024-01-01T00:00:00", "2024-01-04T00:00:00"], cwd=repo, env=w.env, capture_output=True, text=True, timeout=60)
                said[who] = "" if p.returncode == 0 else p.stderr.strip().splitlines()[-1]
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    FeatureStore(repo_path=str(repo)).materialize(pd.Timestamp("2024-01-01").to_pydatetime(), pd.Timestamp("2024-01-04").to_pydatetime())
                said[who] = ""
            except ValueError as e:
                said[who] = re.sub(r".*ValueError: ", "", str(e).strip().splitlines()[-1])
        assert bool(said["feast"]) == bool(said["banquet"]) and said["feast"] in said["banquet"], f"lengths {lengths}, declared {declared}: {said}"
