#!/usr/bin/env python3
"""Registries go from Feast to banquet and back, for each version of Feast.

    FEAST066_PYTHON=… FEAST067_PYTHON=… registries.py --banquet bin/banquet

Feast applies a repository with objects of every kind and materializes it; banquet finds nothing to
change, changes one view and one service, and gives back everything else field by field, with the
fields that it does not know. Then the other way: banquet applies, and Feast finds nothing to change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENV = dict(os.environ, FEAST_USAGE="False", NO_COLOR="1", PYTHONWARNINGS="ignore", TZ="UTC")
YAML = "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
FEATURES = '''
from datetime import timedelta
import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, KafkaSource, Project, PushSource, RequestSource, ValueType
from feast.data_format import JsonFormat
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.action import AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.stream_feature_view import stream_feature_view
from feast.types import Array, Float32, Float64, Int64, String

project = Project(name="shop", description="all kinds", tags={"a": "b"})
shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64, tags={"team": "x"}, owner="me")
carts_source = FileSource(name="carts_source", path="carts.parquet", timestamp_field="at", created_timestamp_column="made", description="rows")
carts_push = PushSource(name="carts_push", batch_source=carts_source)
events = KafkaSource(name="events", kafka_bootstrap_servers="localhost", topic="t", message_format=JsonFormat("items int"), batch_source=carts_source, timestamp_field="at")
ask = RequestSource(name="ask", schema=[Field(name="factor", dtype=Float64)])
carts = FeatureView(
    name="carts", entities=[shopper], ttl=timedelta(days=3650), source=carts_source, tags={"first": "1"}, owner="me", description="DESCRIPTION",
    schema=[Field(name="items", dtype=Int64, tags={"unit": "piece"}, description="how many"), Field(name="embedding", dtype=Array(Float32), vector_index=True, vector_search_metric="L2")],
)
pushed = FeatureView(name="pushed", entities=[shopper], ttl=timedelta(days=1), source=carts_push, schema=[Field(name="items", dtype=Int64)])
nobody = FeatureView(name="nobody", entities=[], ttl=timedelta(0), source=carts_source, schema=[Field(name="items", dtype=Int64)], online=False)

@stream_feature_view(source=events, entities=[shopper], ttl=timedelta(days=1), mode="python", schema=[Field(name="items", dtype=Int64)], timestamp_field="at")
def streamed(df):
    return df

@on_demand_feature_view(sources=[carts, ask], schema=[Field(name="scaled", dtype=Float64)], tags={"k": "v"})
def scaled(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["scaled"] = inputs["items"] * inputs["factor"]
    return out

plain = FeatureService(name="plain", features=[carts, pushed[["items"]]], tags={"s": "t"}, description="SERVICE")
mapped = FeatureService(name="mapped", features=[carts.with_name("other").with_join_key_map({"shopper": "customer"}), scaled])
reader = Permission(name="reader", types=[FeatureView], name_patterns=["carts.*"], policy=RoleBasedPolicy(roles=["r"]), actions=[AuthzedAction.DESCRIBE, AuthzedAction.READ_ONLINE], tags={"p": "q"})
'''

# Feast finds this view changed after each of its own applies, too, and makes a version of it.
ALWAYS = {"Updated stream feature view streamed"}


def prepare(repo: str) -> None:
    """Run by the Python of a version: the rows of the repository."""
    import pandas as pd
    at = pd.Timestamp("2024-01-05T10:00:00Z")
    pd.DataFrame({"shopper": [1, 2], "items": [3, 4], "embedding": [[1.0, 2.0], [3.0, 4.0]], "at": [at, at], "made": [at, at]}).to_parquet(Path(repo) / "carts.parquet")


def extra(repo: str) -> None:
    """Run by the Python of a version: objects that only a client makes, and fields of a later Feast."""
    from feast import FeatureStore
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
    from feast.protos.feast.core.Registry_pb2 import Registry
    from feast.saved_dataset import SavedDataset
    store = FeatureStore(repo)
    store.registry.apply_saved_dataset(SavedDataset(name="set", features=["carts:items"], join_keys=["shopper"], storage=SavedDatasetFileStorage("set.parquet"), tags={"d": "e"}), "shop")
    path = Path(repo) / "registry.db"
    later = b"\xfa\x3e\x01x"  # field 1007
    reg = Registry.FromString(path.read_bytes())
    for objects in (reg.entities, reg.feature_views, reg.stream_feature_views, reg.on_demand_feature_views, reg.feature_services, reg.saved_datasets, reg.permissions, reg.projects):
        for o in objects:
            o.MergeFromString(later)
            o.spec.MergeFromString(later)
    for s in reg.data_sources:
        s.MergeFromString(later)
    reg.MergeFromString(later)
    path.write_bytes(reg.SerializeToString())


def objects(path: str) -> dict:
    """Run by the Python of a version: every object of a registry, as bytes in hexadecimal."""
    from feast.protos.feast.core.Registry_pb2 import Registry
    reg, out = Registry.FromString(Path(path).read_bytes()), {}
    for field, value in reg.ListFields():
        if field.name in ("version_id", "last_updated"):
            continue
        items = [value] if not hasattr(value, "append") else list(value)
        if field.name == "feature_view_version_history":
            items = list(value.records)
        elif field.name == "infra":  # its order is that of a Python set
            items = sorted(value.infra_objects, key=lambda o: o.sqlite_table.name)
        for o in items:
            spec = o.spec if hasattr(o, "spec") else o
            name = getattr(spec, "name", "") or getattr(o, "feature_view_name", "") or (field.name == "infra" and o.sqlite_table.name)
            data = o if isinstance(o, str) else o.SerializeToString(deterministic=True).hex()
            out[f"{field.name} {name} {getattr(o, 'version_number', '')}"] = data
    whole = reg.SerializeToString()
    out["unknown fields of the registry"] = whole.endswith(b"\xfa\x3e\x01x") or b"\xfa\x3e\x01x" in whole[-64:]
    return out


class Version:
    def __init__(self, python: str, banquet: str, work: Path):
        self.python, self.banquet, self.work = python, banquet, work
        work.mkdir()

    def run(self, *args: str, cwd: Path) -> str:
        p = subprocess.run(args, cwd=cwd, env=ENV, capture_output=True, text=True, timeout=300)
        assert p.returncode == 0, f"{args}: exit {p.returncode}\n{p.stdout}{p.stderr}"
        return p.stdout

    def feast(self, repo: Path, *args: str) -> str:
        return self.run(str(Path(self.python).parent / "feast"), *args, cwd=repo)

    def step(self, name: str, *args: str) -> str:
        return self.run(self.python, __file__, "--step", name, *args, cwd=self.work)

    def objects(self, repo: Path) -> dict:
        return json.loads(self.step("objects", str(repo / "registry.db")))

    def repo(self, name: str) -> Path:
        repo = self.work / name
        repo.mkdir()
        (repo / "feature_store.yaml").write_text(YAML)
        (repo / "features.py").write_text(FEATURES)
        self.step("prepare", str(repo))
        return repo

    def from_feast(self) -> None:
        repo = self.repo("from_feast")
        self.feast(repo, "apply")
        self.feast(repo, "materialize", "2024-01-01T00:00:00", "2024-01-10T00:00:00", "-v", "carts")
        self.step("extra", str(repo))
        before, updated = self.objects(repo), changes(self.feast(repo, "plan"))
        plan = self.run(self.banquet, "plan", cwd=repo)
        assert "No changes to registry" in plan, plan
        self.run(self.banquet, "apply", cwd=repo)
        same(before, self.objects(repo), set())
        (repo / "features.py").write_text(FEATURES.replace("DESCRIPTION", "another").replace("SERVICE", "another"))
        self.run(self.banquet, "apply", cwd=repo)
        self.run(self.banquet, "materialize", "2024-01-01", "2024-01-10", "-v", "pushed", cwd=repo)
        after = self.objects(repo)
        # Services that use a view have a copy of its description's neighbours, not of itself.
        same(before, after, {"feature_views carts ", "feature_views pushed ", "feature_services plain "})
        for name in ("feature_views carts ", "feature_views pushed ", "feature_services plain "):
            assert before[name] != after[name] and "fa3e0178" in after[name], f"{name} has lost fields, or is not changed"
        # Feast lists a materialized view as updated, whoever has materialized it, and some others.
        assert changes(self.feast(repo, "plan")) == updated | {"Updated feature view pushed"}, (updated, changes(self.feast(repo, "plan")))

    def from_banquet(self) -> None:
        repo = self.repo("from_banquet")
        self.run(self.banquet, "apply", cwd=repo)
        before = self.objects(repo)
        out = self.feast(repo, "apply")
        assert changes(out) <= ALWAYS, out
        plan = self.run(self.banquet, "plan", cwd=repo)
        assert "No changes to registry" in plan and "No changes to infrastructure" in plan, plan
        same(before, self.objects(repo), {"stream_feature_views streamed ", "feature_view_version_history streamed 1"})


def changes(plan: str) -> set:
    return {line for line in plan.splitlines() if line.startswith(("Created", "Updated", "Deleted"))}


def same(before: dict, after: dict, but: set) -> None:
    wrong = [k for k in sorted(before.keys() | after.keys()) if k not in but and before.get(k) != after.get(k)]
    assert not wrong, f"these objects differ: {wrong}\n{[(before.get(k), after.get(k)) for k in wrong[:1]]}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--banquet")
    parser.add_argument("--step", choices=["prepare", "extra", "objects"])
    parser.add_argument("path", nargs="?")
    args = parser.parse_args()
    if args.step:
        result = {"prepare": prepare, "extra": extra, "objects": objects}[args.step](args.path)
        print(json.dumps(result))
        return
    for name in ("FEAST066_PYTHON", "FEAST067_PYTHON"):
        with tempfile.TemporaryDirectory(prefix="registries") as work:
            v = Version(os.environ[name], str(Path(args.banquet).resolve()), Path(work) / "repos")
            for check in (v.from_feast, v.from_banquet):
                check()
                print(f"ok: {name}: {check.__name__}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
