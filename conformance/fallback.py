#!/usr/bin/env python3
"""Compares functions that banquet hands to Feast's transformation service with Feast.

Feast applies a repository whose functions are outside of what banquet compiles, and runs
its transformation service. What banquet then answers, online and in training sets, must be
what Feast computes itself; what banquet writes, Feast must read.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import warnings
from pathlib import Path

from servers import child, free_port

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")

STORE = """project: shop
registry: registry.db
provider: local
online_store: {type: sqlite, path: online.db}
offline_store: {type: file}
entity_key_serialization_version: 3
feature_server: {type: local, enabled: true, transformation_service_endpoint: "127.0.0.1:PORT"}
"""
PYTHON = r'''from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Bool, Float32, Float64, Int64, String, UnixTimestamp

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
stats = FeatureView(
    name="stats", entities=[driver], ttl=timedelta(days=3650), source=FileSource(name="source", path="stats.parquet", timestamp_field="event_timestamp"),
    schema=[Field(name="code", dtype=String), Field(name="n", dtype=Int64), Field(name="r", dtype=Float32), Field(name="ok", dtype=Bool),
            Field(name="at", dtype=UnixTimestamp), Field(name="tags", dtype=Array(String))])
request = RequestSource(name="request", schema=[Field(name="x", dtype=Float64), Field(name="word", dtype=String)])


@on_demand_feature_view(sources=[stats, request], mode="pandas", schema=[Field(name="digits", dtype=String), Field(name="hash", dtype=String)])
def texts(df: pd.DataFrame) -> pd.DataFrame:
    import hashlib

    out = pd.DataFrame()
    out["digits"] = df["code"].astype(str).str.extract(r"(\d+)(?=x)", expand=False).fillna("none")
    out["hash"] = df["word"].map(lambda s: hashlib.md5(str(s).encode()).hexdigest())
    return out


@on_demand_feature_view(sources=[stats, request], mode="pandas", schema=[Field(name="mean", dtype=Float64), Field(name="twice", dtype=Int64)])
def rows(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["mean"] = df["x"].expanding().apply(lambda window: window.mean()) + df["r"].astype(float).fillna(0.25)
    out["twice"] = (df["n"].astype(float) * 2).interpolate().fillna(-1).astype(int)
    return out


@on_demand_feature_view(sources=[stats, request], mode="pandas", schema=[Field(name="types", dtype=String)])
def columns(df: pd.DataFrame) -> pd.DataFrame:
    types = {c: str(df[c].dtype).replace("ns", "us") for c in ["code", "n", "r", "ok", "at", "tags", "x", "word", "stats__n", "stats__at"]}
    return pd.DataFrame({"types": [str(types)] * len(df)})


@on_demand_feature_view(sources=[stats], mode="pandas", schema=[Field(name="later", dtype=UnixTimestamp), Field(name="many", dtype=Array(String)), Field(name="yes", dtype=Bool)])
def kinds(df: pd.DataFrame) -> pd.DataFrame:
    import datetime

    out = pd.DataFrame()
    at = pd.to_datetime(df["at"], utc=True).fillna(pd.Timestamp(86400, unit="s", tz="UTC"))
    out["later"] = at + datetime.timedelta(days=1)
    out["many"] = df["tags"].map(lambda t: [] if t is None else list(reversed(list(t))) + ["é"])
    out["yes"] = df["ok"].map(lambda v: v is True or v == 1)
    return out


@on_demand_feature_view(sources=[request], mode="pandas", schema=[Field(name="root", dtype=Float64)])
def strict(df: pd.DataFrame) -> pd.DataFrame:
    import decimal

    return pd.DataFrame({"root": [float(decimal.Decimal(x).sqrt()) for x in df["x"]]})


@on_demand_feature_view(sources=[stats, request], mode="pandas", schema=[Field(name="sum", dtype=Float64)])
def compiled(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["sum"] = df["r"] + df["x"]
    return out


@on_demand_feature_view(sources=[stats], entities=[driver], mode="pandas", schema=[Field(name="short", dtype=String)], write_to_online_store=True)
def kept(df: pd.DataFrame) -> pd.DataFrame:
    import decimal

    return pd.DataFrame({"short": df["code"].map(lambda s: str(decimal.Decimal(len(s)).sqrt()))})
'''
FEATURES = ["texts:digits", "texts:hash", "rows:mean", "rows:twice", "columns:types", "kinds:later", "kinds:many", "kinds:yes", "compiled:sum"]
RICH = {"driver_id": [1, 2, 3, 9, 1], "x": [1.0, 2.5, -3.0, 1e300, 0.1], "word": ["a", None, "é\n", "", "wörd"]}
REQUESTS = [
    RICH,
    {"driver_id": [1], "x": [4.0], "word": ["one"]},
    {"driver_id": [9, 8], "x": [1.0, 2.0], "word": ["none", "found"]},
]


def data() -> None:
    import pandas as pd

    pd.DataFrame({
        "driver_id": [1, 2, 3], "code": ["a12x", "b7", "c33x"], "n": [5, None, 7], "r": [0.1, 0.5, 2.5], "ok": [True, None, False],
        "at": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True), "tags": [["a"], ["b", "c"], []],
        "event_timestamp": pd.to_datetime(["2024-01-01"] * 3, utc=True),
    }).to_parquet("stats.parquet")


def plain(value):
    """A value as both sides have it: null for what is missing, seconds for times."""
    import numpy as np
    import pandas as pd

    if isinstance(value, (list, np.ndarray)):
        return [plain(v) for v in value]
    if value is None or value is pd.NaT or isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "timestamp"):
        return int(value.timestamp())
    if isinstance(value, np.generic):
        return value.item()
    return value


def same(what: str, want: dict, got: dict) -> None:
    for name in want:
        if [plain(v) for v in want[name]] != [plain(v) for v in got[name]]:
            raise SystemExit(f"fallback: {what}: {name}:\n  Feast   {want[name]}\n  banquet {got[name]}")


def post(port: int, path: str, body: dict) -> tuple[int, dict]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def columns_of(answer: dict) -> dict:
    return {name: r["values"] for name, r in zip(answer["metadata"]["feature_names"], answer["results"])}


def run(*args: str) -> str:
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"fallback: {args}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def seconds(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def online(store, port: int) -> None:
    for entities in REQUESTS:
        keys = [dict(zip(entities, row)) for row in zip(*entities.values())]
        want = store.get_online_features(features=FEATURES, entity_rows=keys).to_dict()
        status, answer = post(port, "/get-online-features", {"features": FEATURES, "entities": entities})
        if status != 200:
            raise SystemExit(f"fallback: {status}: {answer}")
        got = columns_of(answer)
        got["later"] = [seconds(v) if isinstance(v, str) else v for v in got["later"]]
        same(f"online, {entities}", {k: v for k, v in want.items() if k not in ("x", "word")}, got)


def training(store, banquet: str) -> None:
    import pandas as pd
    import pyarrow as pa

    frame = pd.DataFrame({**{k: v for k, v in RICH.items()}, "event_timestamp": pd.to_datetime([f"2024-06-0{i}" for i in range(1, 6)], utc=True)})
    frame.to_parquet("rows.parquet")
    run(banquet, "get-historical-features", "--entity-df", "rows.parquet", *[a for f in FEATURES for a in ("-f", f)], "-o", "set.arrow")
    got = pa.ipc.open_file("set.arrow").read_all().to_pydict()
    got["later"] = [v and int(v.replace(tzinfo=__import__("datetime").timezone.utc).timestamp()) for v in got["later"]]
    # A function over all rows depends on their order, which Feast does not keep.
    want = store.get_historical_features(entity_df=frame, features=[f for f in FEATURES if not f.startswith("rows:")]).to_df().sort_values("event_timestamp")
    same("training set", {name: list(want[name]) for name in ("digits", "hash", "types", "later", "many", "yes", "sum")}, got)


def check(banquet: str, feast: Path) -> None:
    from feast import FeatureStore

    data()
    service, http = free_port(), free_port()
    Path("feature_store.yaml").write_text(STORE.replace("PORT", str(service)))
    Path("features.py").write_text(PYTHON)
    run(str(feast), "apply")
    out = run(banquet, "apply")  # makes the table of the view that is written
    for view, remote in {"texts": True, "rows": True, "columns": True, "kinds": True, "strict": True, "kept": True, "compiled": False}.items():
        line = f'on-demand feature view "{view}" is computed by the transformation service at 127.0.0.1:{service}: '
        if (line in out) != remote:
            raise SystemExit(f"fallback: {view}: {out}")
    run(banquet, "materialize", "2023-01-01", "2025-01-01", "--views", "stats")
    store = FeatureStore(".")
    with child([banquet, "serve", "--port", str(http), "--grpc-port", "0", "--admin-port", "0"], http):
        with child([str(feast), "serve_transformations", "-p", str(service)], service):
            online(store, http)
            training(store, banquet)
            status, answer = post(http, "/get-online-features", {"features": ["strict:root"], "entities": {"x": [4.0, -1.0], "word": ["a", "b"]}})
            assert status == 400 and "InvalidOperation" in str(answer) and "strict" in str(answer), (status, answer)
            status, answer = post(http, "/write-to-online-store", {"feature_view_name": "kept", "df": {"driver_id": [1, 2], "code": ["a12x", "é"], "event_timestamp": ["2024-07-01T00:00:00Z"] * 2}})
            assert status == 200, (status, answer)
            got = store.get_online_features(features=["kept:short"], entity_rows=[{"driver_id": 1}, {"driver_id": 2}]).to_dict()["short"]
            assert got == ["2", "1"], got
        status, answer = post(http, "/get-online-features", {"features": ["texts:digits"], "entities": RICH})
        assert status == 503 and f"127.0.0.1:{service}" in str(answer), (status, answer)
        status, answer = post(http, "/get-online-features", {"features": ["compiled:sum"], "entities": RICH})
        assert status == 200, (status, answer)


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    banquet = str(Path(args.parse_args().banquet).resolve())
    with tempfile.TemporaryDirectory(prefix="fallback") as work:
        os.chdir(work)
        try:
            check(banquet, Path(sys.executable).parent / "feast")
        finally:
            os.chdir("/")
    print("fallback: functions in Feast's transformation service give what Feast computes")


if __name__ == "__main__":
    main()
