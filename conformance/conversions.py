#!/usr/bin/env python3
"""Records what Feast stores for each type of a source and each value type.

Every column of conversions_data.py is read by Feast's offline store, goes through
the nodes of its local engine, as `feast materialize` runs them, and is converted
to every value type, as a feature and as a join key. testdata/conversions holds
the serialized Values and keys, or the errors; a test of banquet converts the same
columns and compares. --check records again and compares with the files.

A column is read once for all value types. All steps in between are Feast's own:
LocalSourceReadNode, LocalFilterNode, LocalDedupNode, _convert_arrow_to_proto and
serialize_entity_key. A regular sample also goes through store.materialize into
SQLite, and must give what is recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime as dt
import gzip
import io
import json
import logging
import os
import re
import sqlite3
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

os.environ["FEAST_USAGE"] = "False"
os.environ["TZ"] = "UTC"
time.tzset()
if os.environ.setdefault("PYTHONHASHSEED", "0") != "0" or not sys.flags.hash_randomization == 0:
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.infra.compute_engines.backends.pandas_backend import PandasBackend
from feast.infra.compute_engines.dag.context import ColumnInfo, ExecutionContext
from feast.infra.compute_engines.local.nodes import LocalDedupNode, LocalFilterNode, LocalSourceReadNode
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import PostgreSQLOfflineStore
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.infra.offline_stores.dask import DaskOfflineStore
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import from_value_type
from feast.utils import _convert_arrow_to_proto
from feast.value_type import ValueType

import conversions_data as data
import servers

OUT = Path(__file__).resolve().parent.parent / "testdata" / "conversions"
START, END = dt.datetime(2023, 1, 1, tzinfo=dt.timezone.utc), dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc)
KINDS = [t for t in ValueType if t not in (ValueType.UNKNOWN, ValueType.NULL)]
THROUGH = 600  # one of so many combinations goes through materialize, too


def said(e: BaseException) -> str:
    """The beginning of an error, without parts that change from run to run: addresses, and the content of sets."""
    text = re.sub(r"0x[0-9a-f]+", "0x", f"{type(e).__name__}: {e}".split("\n")[0])
    return re.sub(r'(not in|^TypeError: Value) .*', r"\1 ...", text)[:80]


def normal(v: Value) -> str:
    """The bytes of a Value, as hex: sets sorted, as Python's have no order, and maps too."""
    if (kind := v.WhichOneof("val")) and kind.endswith("_set_val"):
        elements = getattr(v, kind).val
        kept = sorted(elements, key=repr)
        del elements[:]
        elements.extend(kept)
    return v.SerializeToString(deterministic=True).hex()


def run(node, value, context):
    """The output of a node of the engine for another node's output."""
    context.node_outputs = {"input": value} if value is not None else {}
    node.inputs = [SimpleNamespace(name="input")] if value is not None else []
    return node.execute(context)


def read(source, config: RepoConfig, store) -> tuple[ExecutionContext, Any]:
    """The output of the source and filter nodes for a column."""
    context = ExecutionContext("p", config, store, None, [])
    info = ColumnInfo(["k"], ["x"], "ts", None, {})
    table = run(LocalSourceReadNode("source", source, info, START, END), None, context)
    return context, run(LocalFilterNode("filter", info, PandasBackend()), table, context)


def dedupe(context: ExecutionContext, table, key: str) -> pa.RecordBatch:
    other = "x" if key == "k" else "k"
    deduped = run(LocalDedupNode("dedup", ColumnInfo([key], [other], "ts", None, {}), PandasBackend()), table, context)
    return deduped.data.to_batches()[0]


def convert(batch: pa.RecordBatch, feature: tuple[str, ValueType], key: tuple[str, ValueType]) -> list:
    """The rows that LocalOutputNode writes, in the order of k."""
    view = SimpleNamespace(name="v", features=[SimpleNamespace(name=feature[0], dtype=from_value_type(feature[1]))], batch_source=SimpleNamespace(timestamp_field="ts", created_timestamp_column=None), schema=[])
    rows = _convert_arrow_to_proto(batch, view, {key[0]: from_value_type(key[1]).to_value_type()})
    order = batch.column("k").to_pylist()
    return [row for _, row in sorted(zip(order, rows), key=lambda pair: pair[0])]


def features(batch: pa.RecordBatch, kind: ValueType) -> list[str] | str:
    try:
        return [normal(row[1]["x"]) for row in convert(batch, ("x", kind), ("k", ValueType.INT64))]
    except Exception as e:
        return said(e)


def keys(batch: pa.RecordBatch | str, kind: ValueType) -> list[str | None] | str:
    """The serialized keys, each once; None is a row at which writing stops since its key is null."""
    if isinstance(batch, str):
        return batch
    try:
        rows = convert(batch, ("k", ValueType.INT64), ("x", kind))
        made = [serialize_entity_key(row[0], 3).hex() if row[0].entity_values[0].WhichOneof("val") else None for row in rows]
        return made if any(made) else [None]  # of lists, which have no hash, pandas keeps sometimes one and sometimes more
    except Exception as e:
        return said(e)


def record(case: data.Case, source, config: RepoConfig, store) -> dict:
    """The results for a column. Value types with the same result are grouped."""
    line: dict[str, Any] = {"source": case.source, "case": case.case}
    try:
        context, table = read(source, config, store)
        batch = dedupe(context, table, "k")
        try:
            by_key = dedupe(context, table, "x")
        except Exception as e:
            by_key = said(e)
    except Exception as e:
        return line | {"unread": said(e)}
    for name, outcomes in ("features", [(k, features(batch, k)) for k in KINDS]), ("keys", [(k, keys(by_key, k)) for k in KINDS]):
        stored: dict[str, Any] = {}
        failed: dict[str, list[str]] = {}
        for kind, outcome in outcomes:
            if isinstance(outcome, str):
                failed.setdefault(outcome, []).append(kind.name)
            else:
                stored[kind.name] = outcome
        line[name] = {"stored": stored, "failed": failed}
    return line


def config(work: Path, offline: dict) -> RepoConfig:
    return RepoConfig(project="p", provider="local", registry=str(work / "registry.db"), online_store={"type": "sqlite", "path": str(work / "online.db")}, offline_store=offline, entity_key_serialization_version=3)


def materialize(work: Path, conf: RepoConfig, source, kind: ValueType) -> list[str] | str:
    """The values that a real materialize writes to SQLite, by k; or its error."""
    for name in ("registry.db", "online.db"):
        (work / name).unlink(missing_ok=True)
    store = FeatureStore(config=conf)
    entity = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)
    view = FeatureView(name="v", entities=[entity], schema=[Field(name="k", dtype=from_value_type(ValueType.INT64)), Field(name="x", dtype=from_value_type(kind))], source=source, online=True)
    try:
        store.apply([entity, view])
        store.materialize(START, END)
        with contextlib.closing(sqlite3.connect(work / "online.db")) as db:
            rows = db.execute("SELECT entity_key, value FROM p_v WHERE feature_name = 'x'").fetchall()
        return [normal(Value.FromString(v)) for _, v in sorted(rows, key=lambda row: int.from_bytes(row[0][-8:], "little"))]
    except Exception as e:
        return said(e)


def through(work: Path, conf: RepoConfig, columns: list[tuple[dict, Any]]) -> tuple[int, list[str]]:
    """How many real runs there were, and how they differ from the record."""
    faults = []
    plenty = [(line, source, k) for line, source in columns if "features" in line for k in KINDS]
    some = plenty[::THROUGH] + [c for i, c in enumerate(c for c in plenty if c[2].name in c[0]["features"]["stored"]) if i % THROUGH == 7]
    for line, source, kind in some:
        want = line["features"]["stored"].get(kind.name)
        got = materialize(work, conf, source, kind)
        if isinstance(got, str) != (want is None) or want is not None and got != want:
            faults.append(f"{line['source']} / {line['case']} / {kind.name}: recorded {want}, materialize gives {got}")
    return len(some), faults


def connect(port: int, database: str) -> psycopg.Connection:
    """A connection; a server that listens may still be starting."""
    end = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(f"host=127.0.0.1 port={port} user=feast password=password dbname={database}", autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def postgres(work: Path) -> Iterator[tuple[dict, Any, RepoConfig]]:
    with servers.postgres() as port:
        conf = config(work, {"type": "postgres", "host": "127.0.0.1", "port": port, "database": "feast", "db_schema": "public", "user": "feast", "password": "password", "sslmode": "disable"})
        with connect(port, "postgres") as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = 'feast'").fetchone():
                admin.execute("CREATE DATABASE feast")
        with connect(port, "feast") as db:
            db.execute(data.SETUP)
            covered = {db.execute(f"SELECT '{kind}'::regtype::oid").fetchone()[0] for kind in data.POSTGRES | data.arrays()}
            for oid, kind in db.execute("SELECT oid, typname FROM pg_type t WHERE typtype IN ('b', 'r', 'm') AND typnamespace = 'pg_catalog'::regnamespace AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typtype IN ('c', 'p'))").fetchall():
                if oid not in covered and kind not in data.INTERNAL and kind.removeprefix("_") not in data.INTERNAL:
                    raise RuntimeError(f"conversions_data.py lacks PostgreSQL's type {kind}")
        store = PostgreSQLOfflineStore()
        for case in data.postgres():
            source = PostgreSQLSource(name="s", query=case.values, timestamp_field="ts")
            yield record(case, source, conf, store) | {"query": case.values}, source, conf


def parquet(work: Path) -> Iterator[tuple[dict, Any, RepoConfig]]:
    """Reads each column from a separate file; the repository keeps columns with the same number of rows in one file."""
    conf = config(work, {"type": "dask"})
    store = DaskOfflineStore()
    for i, case in enumerate(data.parquet()):
        rows = len(case.values)
        path = work / f"{i}.parquet"
        pq.write_table(pa.table({"k": list(range(rows)), "x": case.values, "ts": times(rows)}), path, **data.WRITING[case.file])
        source = FileSource(name="s", path=str(path), timestamp_field="ts")
        yield record(case, source, conf, store) | {"file": name(case), "column": f"c{i:03}"} | csv_cells(case), source, conf


def csv_cells(case: data.Case) -> dict[str, list[str]]:
    """The column as pandas writes it into a CSV file."""
    if case.source not in data.IN_CSV or "UTF-8" in case.case:
        return {}
    file = io.StringIO(pa.table({"k": list(range(len(case.values))), "x": case.values}).to_pandas(types_mapper=pd.ArrowDtype).to_csv(index=False), newline="")
    return {"csv": [row["x"] for row in csv.DictReader(file)]}


def name(case: data.Case) -> str:
    return f"rows{len(case.values)}{case.file and '.' + case.file.replace(' ', '_')}.parquet"


def times(rows: int) -> pa.Array:
    noon = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone.utc)
    return pa.array([noon - dt.timedelta(hours=i) for i in range(rows)], pa.timestamp("us", "UTC"))


def files() -> dict[str, bytes]:
    """The Parquet files of all columns."""
    columns: dict[str, dict[str, pa.Array]] = {}
    writing: dict[str, dict[str, Any]] = {}
    for i, case in enumerate(data.parquet()):
        columns.setdefault(name(case), {})[f"c{i:03}"] = case.values
        writing[name(case)] = data.WRITING[case.file]
    out = {}
    for file, arrays in columns.items():
        rows = len(next(iter(arrays.values())))
        sink = io.BytesIO()
        pq.write_table(pa.table({"k": list(range(rows)), **arrays, "ts": times(rows)}), sink, **writing[file])
        out[file] = sink.getvalue()
    return out


# What the installed Feast does not convert, but the one of the recording does: value types, and
# lists of lists of times.
OLD = [int(n) for n in version("feast").split(".")[:2]] < [0, 67]
LATER = {"PDF_BYTES"} if OLD else set()


def later(source: str, field: str, got: str | None) -> bool:
    kind = field.partition(" ")[2]
    if kind in LATER:
        return True
    nested = source.startswith("list<list<timestamp") and kind in ("VALUE_LIST", "VALUE_SET")
    return OLD and nested and str(got).startswith("ValueError: Value with native type datetime64 cannot be converted")


def flat(line: dict) -> dict[str, str]:
    """A line with one entry for each value type."""
    out = {k: str(v) for k, v in line.items() if k not in ("features", "keys")}
    for name in ("features", "keys"):
        for kind, values in line.get(name, {}).get("stored", {}).items():
            out[f"{name} {kind}"] = str(values)
        for text, kinds in line.get(name, {}).get("failed", {}).items():
            out |= {f"{name} {kind}": text for kind in kinds}
    return out


def differences(name: str, want: str, got: str) -> Iterator[str]:
    a, b = want.splitlines(), got.splitlines()
    if len(a) != len(b):
        yield f"{name}: {len(a)} columns are recorded, there are {len(b)}"
    for x, y in zip(a, b):
        if x != y:
            old, new = json.loads(x), json.loads(y)
            fields = {(k, v) for k, v in flat(old).items() ^ flat(new).items() if not later(new["source"], k, flat(new).get(k))}
            if not fields:
                continue
            yield f"{name}: {new['source']} / {new['case']}: " + "; ".join(sorted({f"{k} was {flat(old).get(k)}, is {flat(new).get(k)}" for k, _ in fields}))


def main() -> int:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--check", action="store_true", help="compare with testdata/conversions instead of writing it")
    args.add_argument("--no-through", action="store_true", help="skip the real runs of materialize")
    opt = args.parse_args()
    faults: list[str] = []
    began, combinations, runs = time.monotonic(), 0, 0
    OUT.mkdir(parents=True, exist_ok=True)
    for name, source in ("postgres", postgres), ("parquet", parquet):
        with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            columns, conf = [], None
            reader = source(Path(work))
            for line, origin, conf in reader:
                columns.append((line, origin))
                if len(columns) == LAST[name]:
                    break
            if not opt.no_through:
                more, differing = through(Path(work), conf, columns)
                runs, faults = runs + more, faults + differing
            reader.close()
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line, _ in columns)
        combinations += 2 * len(KINDS) * len(columns)
        path = OUT / f"{name}.jsonl.gz"
        if opt.check:
            faults += differences(name, gzip.decompress(path.read_bytes()).decode(), text)
        else:
            path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    for name, content in (files() | {"setup.sql": data.SETUP.lstrip().encode()}).items():
        path = OUT / name
        if not opt.check:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            faults.append(f"{name} does not hold the columns of conversions_data.py")
    for fault in faults:
        print(fault)
    print(f"{combinations} conversions of Feast in {time.monotonic() - began:.0f} s, {runs} of them by materialize, too; {len(faults)} differences")
    return 1 if faults else 0


LAST = {"postgres": len(data.postgres()), "parquet": len(data.parquet())}

if __name__ == "__main__":
    sys.exit(main())
