#!/usr/bin/env python3
"""Checks that Feast reads a view with CEL expressions as banquet has applied it.

Feast must list and describe the view, serve the others, refuse to compute this one with
the error that says who computes it, and keep the expressions when it writes the view.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")

STORE = """project: shop
registry: registry.db
provider: local
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""
PYTHON = """from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
source = FileSource(name="source", path="carts.csv", timestamp_field="at")
carts = FeatureView(name="carts", entities=[shopper], schema=[Field(name="items", dtype=Int64)], source=source)
service = FeatureService(name="service", features=[carts])
"""
VIEWS = """views:
  - name: cost
    tags: {team: shop}
    sources: [carts, {request: request, schema: {price: Float64}}]
    features:
      total: {type: Float64, expr: double(items) * price}
      text: {type: String, expr: '"\\"é\\t😀" + string(items)'}
"""


def check(banquet: str) -> None:
    from feast import FeatureStore
    from feast.protos.feast.core.Registry_pb2 import Registry

    def run(*args: str) -> str:
        return subprocess.run([banquet, *args], check=True, capture_output=True, text=True).stdout

    run("apply")
    run("materialize", "2024-01-01", "2024-02-01")
    store = FeatureStore(".")
    assert [v.name for v in store.list_on_demand_feature_views()] == ["cost"]
    view = store.get_on_demand_feature_view("cost")
    assert [(f.name, str(f.dtype)) for f in view.features] == [("total", "Float64"), ("text", "String")], view.features
    assert view.tags == {"team": "shop"} and view.mode == "python"
    registry = Registry()
    registry.ParseFromString(Path("registry.db").read_bytes())
    stored = registry.on_demand_feature_views[0].spec.feature_transformation.user_defined_function.body_text
    assert view.to_proto().spec.feature_transformation.user_defined_function.body_text == stored
    assert store.get_online_features(features=["carts:items"], entity_rows=[{"shopper": 7}]).to_dict()["items"] == [3]
    try:
        store.get_online_features(features=["cost:total"], entity_rows=[{"shopper": 7, "price": 2.5}])
        raise AssertionError("Feast computes the view")
    except NotImplementedError as error:
        assert "which banquet computes" in str(error), error
    assert "7.5" in run("get-online-features", "-e", "shopper=7", "-e", "price=2.5", "-f", "cost:total")
    feast = Path(sys.executable).parent / "feast"
    for args in (["on-demand-feature-views", "list"], ["on-demand-feature-views", "describe", "cost"], ["feature-services", "list"]):
        subprocess.run([feast, *args], check=True, capture_output=True)


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    banquet = str(Path(args.parse_args().banquet).resolve())
    with tempfile.TemporaryDirectory(prefix="expressions") as work:
        os.chdir(work)
        for name, text in {"feature_store.yaml": STORE, "features.py": PYTHON, "on_demand.yaml": VIEWS, "carts.csv": "shopper,items,at\n7,3,2024-01-15T00:00:00Z\n"}.items():
            Path(name).write_text(text)
        check(banquet)
        os.chdir("/")
    print("expressions: Feast reads what banquet computes")


if __name__ == "__main__":
    main()
