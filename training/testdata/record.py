#!/usr/bin/env python3
"""Records what a release of Feast answers for on-demand views: training sets of a view whose version is named and of one with
an alias, and the calls of its remote offline store with its own server's responses.

    record.py OUTPUT    with the Python of the release; OUTPUT is testdata/golden/feast_X.Y/on_demand
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
import tempfile
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.offline_server import OfflineServer, _init_auth_manager
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String
from feast.version import get_version

YAML = "project: rides\nprovider: local\nregistry:\n  path: {registry}\n  enable_online_feature_view_versioning: true\nonline_store: {{type: sqlite, path: online.db}}\nentity_key_serialization_version: 3\noffline_store:\n"
VERSIONS = get_version() >= "0.67"  # of on-demand views, in training sets


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


ROWS = pd.DataFrame({
    "driver_id": pd.array([1, 1, 2, 3], "Int64"), "trips": pd.array([10, 12, None, -3], "Int64"), "city": ["Seoul", "서울", None, ""], "score": [0.5, 1.25, None, -2.0],
    "event_timestamp": [at("2024-01-01"), at("2024-02-01"), at("2024-01-15"), at("2024-01-20T12:00:00.5")],
})
ENTITIES = pd.DataFrame({"driver_id": [1, 1, 2, 3, 9], "event_timestamp": [at("2024-01-10"), at("2024-03-01"), at("2024-03-01"), at("2024-03-01"), at("2024-03-01")], "factor": [2.0, -1.5, 3.0, 0.25, 1.0]})

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
drivers = FeatureView(name="drivers", entities=[driver], schema=[Field(name="trips", dtype=Int64), Field(name="city", dtype=String), Field(name="score", dtype=Float64)],
                      source=FileSource(name="drivers_source", path="drivers.parquet", timestamp_field="event_timestamp"))
ride = RequestSource(name="ride", schema=[Field(name="factor", dtype=Float64)])


def first():
    @on_demand_feature_view(sources=[drivers, ride], schema=[Field(name="rating", dtype=Float64), Field(name="label", dtype=String)], mode="pandas")
    def rated(inputs):
        import pandas as pd
        out = pd.DataFrame()
        out["rating"] = inputs["score"] * inputs["factor"]
        out["label"] = inputs["city"].fillna("nowhere")
        return out
    return rated


def second():
    @on_demand_feature_view(sources=[drivers, ride], schema=[Field(name="rating", dtype=Float64), Field(name="label", dtype=String), Field(name="busy", dtype=Int64)], mode="pandas")
    def rated(inputs):
        import pandas as pd
        out = pd.DataFrame()
        out["rating"] = inputs["score"] + inputs["factor"] * 100
        out["label"] = inputs["city"].fillna("nowhere").str.upper()
        out["busy"] = (inputs["trips"].fillna(0) > 5).astype("int64")
        return out
    return rated


def cases(store: FeatureStore) -> list[tuple[str, dict[str, Any]]]:
    out = [("latest", {"features": ["rated:rating", "drivers:trips"]}), ("alias", {"service": "aliased"}), ("alias_of_a_part", {"service": "part"})]
    if VERSIONS:
        out += [("version_0", {"features": ["rated@v0:rating", "rated@v0:label"]}), ("version_1", {"features": ["rated@v1:rating", "rated@v1:busy"]}),
                ("version_in_a_service", {"service": "pinned"}), ("feature_of_the_other_version", {"features": ["rated@v0:busy"]}), ("no_such_version", {"features": ["rated@v9:rating"]})]
    return [(name + suffix, {**c, "full": full}) for name, c in out for suffix, full in (("", False), ("_full_names", True))]


def ask(store: FeatureStore, c: dict[str, Any]) -> pa.Table:
    features = store.get_feature_service(c["service"]) if "service" in c else c["features"]
    return store.get_historical_features(entity_df=ENTITIES, features=features, full_feature_names=c["full"]).to_arrow()


def parquet(t: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(t, sink)
    return sink.getvalue()


def record_sets(store: FeatureStore, out: Path) -> None:
    with zipfile.ZipFile(out / "historical.zip", "w", zipfile.ZIP_DEFLATED) as z:
        put = lambda name, data: z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        for name, c in cases(store):
            said = {"name": name, "features": c.get("features"), "feature_service": c.get("service", ""), "full_feature_names": c["full"]}
            try:
                put(f"{name}/result.parquet", parquet(ask(store, c)))
            except Exception as e:  # noqa: BLE001: it is what Feast says
                said["error"] = {"class": type(e).__name__, "message": str(e).strip("'\"")}
            put(f"{name}/case.json", json.dumps(said, ensure_ascii=False))
            put(f"{name}/entity.parquet", parquet(pa.Table.from_pandas(ENTITIES, preserve_index=False)))
            print(name, said.get("error", "ok"))


def stream(t: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, t.schema) as w:
        w.write_table(t)
    return base64.b64encode(sink.getvalue().to_pybytes()).decode()


class Given:
    """A table that was read, and the writer of a response; both keep what goes through them."""

    def __init__(self, row: dict[str, Any], table: pa.Table, writer: Any):
        self.row, self.table, self.writer = row, table, writer

    def read_all(self) -> pa.Table:
        return self.table

    def begin(self, schema: pa.Schema) -> None:
        self.batches, self.schema = [], schema
        self.writer.begin(schema)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)
        self.row["result"] = stream(pa.Table.from_batches(self.batches, self.schema))
        self.writer.write_batch(batch)


class Recording(OfflineServer):
    """Feast's server, which keeps the calls."""

    calls: list[dict[str, Any]]

    def kept(self, call: str, descriptor: Any, reader: Any, writer: Any) -> Given:
        table = reader.read_all()
        self.calls.append({"call": call, "command": descriptor.command.decode(), "arrow_ipc_stream_base64": stream(table)})
        return Given(self.calls[-1], table, writer)

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        given = self.kept("DoPut", descriptor, reader, writer)
        super().do_put(context, descriptor, given, given)

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        given = self.kept("DoExchange", descriptor, reader, writer)
        super().do_exchange(context, descriptor, given, given)

    def _call(self, command: dict, key: str) -> pa.Table:
        return self.get_historical_features(command, key).to_arrow()

    def do_get(self, context: Any, ticket: Any) -> Any:
        key = eval(ticket.ticket.decode())  # noqa: S307: Feast's ticket is Python's text of a tuple
        self.calls[-1]["result"] = stream(self._call(json.loads(key[1]), key))
        return super().do_get(context, ticket)


def record_calls(store: FeatureStore, repo: Path, out: Path) -> None:
    _init_auth_manager(store)
    server = Recording(store, location="grpc+tcp://127.0.0.1:0", host="127.0.0.1")
    server.calls = []
    threading.Thread(target=server.serve, daemon=True).start()
    remote = repo / "remote"
    remote.mkdir(exist_ok=True)
    (remote / "feature_store.yaml").write_text(YAML.format(registry="../registry.db") + f"  type: remote\n  host: 127.0.0.1\n  port: {server.port}\n")
    client = FeatureStore(str(remote))
    with open(out / "flight_calls.jsonl", "w") as f:
        for name, c in cases(client):
            server.calls.clear()
            seen: dict[str, Any] = {"name": name}
            try:
                seen["client"] = stream(ask(client, c))
            except Exception as e:  # noqa: BLE001
                seen["error"] = f"{type(e).__name__}: {e}".partition(" Detail: Python exception")[0]
            for call in server.calls:
                f.write(json.dumps({**seen, **call}) + "\n")
            print("remote", name, len(server.calls), seen.get("error", "ok"))
    server.shutdown()


def without_paths(data: bytes) -> bytes:
    """A registry whose pickled functions do not name the directory of this file; all lengths stay."""
    here = f"{Path(__file__).resolve().parent}/".encode()
    return data.replace(here, (b"./" * len(here))[: len(here) - 1] + b"/")


def main() -> None:
    out = Path(sys.argv[1]).resolve()
    (out / "registry").mkdir(parents=True, exist_ok=True)
    ROWS.to_parquet(out / "drivers.parquet", index=False)
    with tempfile.TemporaryDirectory() as work:
        repo = Path(work)
        ROWS.to_parquet(repo / "drivers.parquet", index=False)
        (repo / "feature_store.yaml").write_text(YAML.format(registry="registry.db") + "  type: file\n")
        store = FeatureStore(str(repo))
        v0, v1 = first(), second()
        store.apply([driver, drivers, v0])
        store.apply([driver, drivers, v1])
        services = [FeatureService(name="aliased", features=[v1.with_name("opinion")]), FeatureService(name="part", features=[v1[["label"]].with_name("opinion"), drivers[["trips"]].with_name("work")])]
        if VERSIONS:
            services.append(FeatureService(name="pinned", features=["rated@v0:rating", "drivers:city"]))
        store.apply(services)
        (out / "registry" / "applied.db").write_bytes(without_paths((repo / "registry.db").read_bytes()))
        record_sets(store, out)
        record_calls(store, repo, out)


if __name__ == "__main__":
    main()
