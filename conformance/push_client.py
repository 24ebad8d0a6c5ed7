"""What a user of Feast's SDK writes; push.py runs it once for each version of Feast.

    push_client.py BANQUET DIRECTORY

It prints one line of JSON: for each case the difference, empty if there is none.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import pandas as pd
import requests
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, ValueType
from feast.data_source import PushMode
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp

PROGRAM, WORK = sys.argv[1], Path(sys.argv[2])
YAML = "project: writes\nprovider: local\nregistry: {registry}\nonline_store: {online}\noffline_store: {{type: file}}\nentity_key_serialization_version: 3\n"
results: dict[str, str] = {}


def repository(name: str, registry: Path | str, online: str) -> Path:
    path = WORK / name
    (path / "data").mkdir(parents=True, exist_ok=True)
    (path / "feature_store.yaml").write_text(YAML.format(registry=registry, online=online))
    return path


def definitions(data: Path) -> list:
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    trips = [Field(name="conv", dtype=Float64), Field(name="acc", dtype=Float32), Field(name="trips", dtype=Int32), Field(name="big", dtype=Int64), Field(name="label", dtype=String),
             Field(name="ok", dtype=Bool), Field(name="seen", dtype=UnixTimestamp), Field(name="tags", dtype=Array(String)), Field(name="nums", dtype=Array(Int64))]
    source = FileSource(name="trips_source", path=str(data / "trips.parquet"), timestamp_field="event_timestamp", created_timestamp_column="created")
    other = FileSource(name="other_source", path=str(data / "other.parquet"), timestamp_field="ts")
    drv = FeatureView(name="drv", entities=[driver], ttl=timedelta(0), schema=trips, source=PushSource(name="drv_push", batch_source=source))
    also = FeatureView(name="also", entities=[driver], ttl=timedelta(0), schema=[Field(name="trips", dtype=Int32)], source=PushSource(name="drv_push", batch_source=source))
    other_view = FeatureView(name="other", entities=[driver], ttl=timedelta(0), schema=[Field(name="n", dtype=Int64)], source=other)
    total = FeatureView(name="total", entities=[], ttl=timedelta(0), schema=[Field(name="sum", dtype=Int64)], source=FileSource(name="total_source", path=str(data / "total.parquet"), timestamp_field="event_timestamp"))

    @on_demand_feature_view(sources=[drv], entities=[driver], schema=[Field(name="twice", dtype=Float64)], mode="python", write_to_online_store=True)
    def doubled(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"twice": [2 * v for v in inputs["conv"]]}

    return [driver, drv.source, drv, also, other_view, total, doubled]


def rows(*drivers: int, day: int = 1, conv: float | None = None) -> pd.DataFrame:
    n = len(drivers)
    return pd.DataFrame({
        "driver_id": list(drivers), "conv": [conv if conv is not None else d / 3 for d in drivers], "acc": [0.1] * n, "trips": list(drivers), "big": [2**60 + d for d in drivers],
        "label": [f"이름 {d}" for d in drivers], "ok": [d % 2 == 0 for d in drivers], "seen": [datetime(2024, 2, 3, 4, 5, 6, tzinfo=timezone.utc)] * n,
        "tags": [["a", "b"]] * n, "nums": [[1, d] for d in drivers],
        "event_timestamp": [datetime(2024, 1, day, d % 24, 0, 0, 123456 if d % 2 else 0, tzinfo=timezone.utc) for d in drivers], "created": [datetime(2024, 1, day, tzinfo=timezone.utc)] * n})


def stored(path: Path, view: str) -> list:
    with sqlite3.connect(path) as c:
        found = c.execute(f'SELECT entity_key, feature_name, value, event_ts FROM "writes_{view}" ORDER BY 1, 2').fetchall()
    return [(k.hex(), name, v.hex(), str(at).removesuffix("+00:00")) for k, name, v, at in found]


def case(name: str, check: Callable[[], str | None]) -> None:
    try:
        results[name] = check() or ""
    except Exception as e:
        results[name] = f"{type(e).__name__}: {str(e)[:500]}"


def unequal(want: Any, got: Any) -> str:
    return "" if want == got else f"\n  Feast   {str(want)[:1500]}\n  banquet {str(got)[:1500]}"


def raises(kind: str, text: str, call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as e:
        return "" if type(e).__name__ == kind and text in str(e) else f"{type(e).__name__}: {e}"
    return "no error"


def main() -> None:
    data = WORK / "server" / "data"
    local = FeatureStore(str(repository("local", WORK / "local.db", f"{{type: sqlite, path: {WORK / 'local-online.db'}}}")))
    server = repository("server", WORK / "server.db", f"{{type: sqlite, path: {WORK / 'server-online.db'}}}")
    for name, frame in {"trips": rows(1), "other": pd.DataFrame({"driver_id": [1], "n": [1], "ts": [datetime(2023, 1, 1, tzinfo=timezone.utc)]}),
                        "total": pd.DataFrame({"sum": [1], "event_timestamp": [datetime(2023, 1, 1, tzinfo=timezone.utc)]})}.items():
        frame.to_parquet(data / f"{name}.parquet")
    local.apply(definitions(data))
    FeatureStore(str(server)).apply(definitions(data))
    process = subprocess.Popen([PROGRAM, "--chdir", str(server), "serve", "-p", "0", "--grpc-port", "0", "--admin-port", "0"], stdout=subprocess.PIPE)
    try:
        http = "http://" + json.loads(process.stdout.readline())["http"]
        remote = FeatureStore(str(repository("remote", WORK / "server.db", f"{{type: remote, path: {http}}}")))
        compare(local, remote, http, data)
    finally:
        process.terminate()
        if process.wait(20) != 0:
            raise RuntimeError(f"banquet ended with {process.returncode}")
    print(json.dumps(results))


def compare(local: FeatureStore, remote: FeatureStore, http: str, data: Path) -> None:
    def post(path: str, **body: Any) -> requests.Response:
        return requests.post(http + path, data=json.dumps(body, default=str), headers={"Content-Type": "application/json"}, timeout=30)

    def both(name: str, write: Callable[[FeatureStore], Any], *views: str) -> None:
        def check() -> str:
            write(local)
            write(remote)
            return "".join(unequal(stored(WORK / "local-online.db", v), stored(WORK / "server-online.db", v)) for v in views)
        case(name, check)

    def sent(name: str, path: str, frame: pd.DataFrame, write: Callable[[FeatureStore], Any], view: str, **body: Any) -> None:
        def check() -> str:
            write(local)
            columns = {c: [v.isoformat() if isinstance(v, datetime) else v for v in frame[c].tolist()] for c in frame.columns}
            if "seen" in columns:
                columns["seen"] = [int(v.timestamp()) for v in frame["seen"]]
            r = post(path, df=columns, **body)
            if r.status_code != 200:
                return f"{r.status_code} {r.text}"
            return unequal(stored(WORK / "local-online.db", view), stored(WORK / "server-online.db", view))
        case(name, check)

    def reads(name: str, features: list[str], **keys: list) -> None:
        def read(store: FeatureStore) -> dict:
            n = len(next(iter(keys.values())))
            return store.get_online_features(features=features, entity_rows=[{k: v[i] for k, v in keys.items()} for i in range(n)]).to_dict()
        sdk = FeatureStore(str(WORK / "server"))  # Feast on the file that banquet has written
        case(name, lambda: unequal(dict(sorted(read(local).items())), dict(sorted(read(sdk).items()))))
        case(name + ", over banquet", lambda: unequal(plain(read(local)), plain(read(remote))))

    both("push", lambda s: s.push("drv_push", rows(1, 2, 3)), "drv", "also")
    both("push of a newer row", lambda s: s.push("drv_push", rows(2, day=2)), "drv", "also")
    both("push of many rows", lambda s: s.push("drv_push", rows(*range(100, 600), day=3)), "drv", "also")
    both("write_to_online_store", lambda s: s.write_to_online_store("drv", rows(4, 5)), "drv")
    nulls = rows(6, 7).assign(label=[None, "x"], conv=[None, 1.5], ok=[None, True])
    both("nulls", lambda s: s.write_to_online_store("drv", nulls), "drv")
    case("times under another name", lambda: other_times(local, remote))
    case("a view without entities", lambda: without_entities(remote))
    case("an on-demand view", lambda: on_demand(local, remote))
    sent("POST /push", "/push", rows(11, 12), lambda s: s.push("drv_push", rows(11, 12)), "drv", push_source_name="drv_push", to="online")
    sent("POST /write-to-online-store", "/write-to-online-store", rows(13), lambda s: s.write_to_online_store("drv", rows(13)), "drv", feature_view_name="drv")
    features = ["drv:" + f for f in ("conv", "acc", "trips", "big", "label", "ok", "seen", "tags", "nums")]
    reads("reads", [f for f in features if f != "drv:trips"] + ["also:trips"], driver_id=[1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 100, 599, 9999])
    case("an older row does not replace a newer one", lambda: older(remote))
    case("an unknown push source", lambda: raises("PushSourceNotFoundException", "nope", lambda: remote.push("nope", rows(1))))
    case("an unknown push source over HTTP", lambda: unequal((422, "PushSourceNotFoundException"), ((r := post("/push", push_source_name="nope", df={})).status_code, json.loads(r.json())["class"])))
    case("an unknown view over HTTP", lambda: unequal((404, "FeastObjectNotFoundException"), ((r := post("/write-to-online-store", feature_view_name="nope", df={})).status_code, json.loads(r.json())["class"])))
    case("a mistake", lambda: "" if (r := post("/push", push_source_name="drv_push", df={"driver_id": [1]})).status_code == 400 and "lack" in r.text else f"{r.status_code} {r.text}")
    case("push to both stores", lambda: offline(post, data))


def plain(columns: dict) -> dict:
    """What an HTTP response keeps of values: Feast's client makes seconds of times, and floats are doubles."""
    def cell(v: Any) -> Any:
        if isinstance(v, datetime):
            return int(v.replace(tzinfo=v.tzinfo or timezone.utc).timestamp())
        return v
    return {k: [cell(v) for v in c] for k, c in sorted(columns.items())}


def other_times(local: FeatureStore, remote: FeatureStore) -> str:
    """The SDK sends event_timestamp whatever the source calls its time, and Feast's server refuses that."""
    frame = pd.DataFrame({"driver_id": [1, 2], "n": [2**53 + 1, 5], "ts": [datetime(2024, 1, 1, tzinfo=timezone.utc)] * 2})
    for s in (local, remote):
        s.write_to_online_store("other", frame)
    return unequal(stored(WORK / "local-online.db", "other"), stored(WORK / "server-online.db", "other"))


def without_entities(remote: FeatureStore) -> str:
    remote.write_to_online_store("total", pd.DataFrame({"sum": [7], "event_timestamp": [datetime(2024, 1, 1, tzinfo=timezone.utc)]}))
    got = remote.get_online_features(features=["total:sum"], entity_rows=[{"driver_id": 1}]).to_dict()
    return unequal([7], got["sum"])


def on_demand(local: FeatureStore, remote: FeatureStore) -> str:
    frame = pd.DataFrame({"driver_id": [1, 2], "conv": [1.5, 2.5], "event_timestamp": [datetime(2024, 1, 1, tzinfo=timezone.utc)] * 2, "created": [datetime(2024, 1, 1, tzinfo=timezone.utc)] * 2})
    values = lambda path: [r[:3] for r in stored(path, "doubled") if r[1] == "twice"]  # noqa: E731  the time is now
    remote.write_to_online_store("doubled", frame)
    try:
        local.write_to_online_store("doubled", frame)
    except Exception as e:
        return f"Feast itself fails: {e}"
    return unequal(values(WORK / "local-online.db"), values(WORK / "server-online.db"))


def older(remote: FeatureStore) -> str:
    before = stored(WORK / "server-online.db", "drv")
    remote.push("drv_push", rows(2, day=1, conv=99.0))
    return unequal(before, stored(WORK / "server-online.db", "drv"))


def offline(post: Callable[..., requests.Response], data: Path) -> str:
    frame = rows(77, day=9)
    columns = {c: [v.isoformat() if isinstance(v, datetime) else v for v in frame[c].tolist()] for c in frame.columns}
    r = post("/push", push_source_name="drv_push", df={**columns, "seen": [int(v.timestamp()) for v in frame["seen"]]}, to="online_and_offline")
    if r.status_code != 200:
        return f"{r.status_code} {r.text}"
    got = pd.read_parquet(data / "trips.parquet")
    return unequal([1, 77], got["driver_id"].tolist()) or unequal("이름 77", got["label"].tolist()[-1])


main()
