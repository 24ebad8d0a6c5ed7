"""Materializes on-demand views that are written with Feast and with banquet, and compares what is stored.

Not compared, since it differs on purpose: the time of a row (Feast stores that of the run), the join keys, which
Feast stores among the features too, functions that give something else when they run on their own results, since
Feast runs them twice, and keys whose sources have newest rows of different times in a window: of these Feast keeps
the one that its query happens to return last, banquet the newest.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg

YAML = """project: p
provider: local
registry: registry.db
online_store: {{type: sqlite, path: online.db}}
offline_store: {{type: postgres, host: localhost, port: {port}, database: stored, user: feast, password: password, sslmode: disable}}
entity_key_serialization_version: 3
"""
FEATURES = '''
from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)


def source(name):
    return PostgreSQLSource(name=name, query=f"SELECT * FROM {name}", timestamp_field="at", created_timestamp_column="made")


trips = FeatureView(name="trips", entities=[driver], ttl=timedelta(days=3), source=source("trips"),
                    schema=[Field(name="driver_id", dtype=Int64), Field(name="n", dtype=Int64), Field(name="km", dtype=Float64), Field(name="word", dtype=String)])
pay = FeatureView(name="pay", entities=[driver], ttl=timedelta(days=0), source=source("pay"),
                  schema=[Field(name="driver_id", dtype=Int64), Field(name="won", dtype=Int64), Field(name="rate", dtype=Float64)])


@on_demand_feature_view(sources=[trips], entities=[driver], mode="pandas", write_to_online_store=True,
                        schema=[Field(name="far", dtype=Float64), Field(name="loud", dtype=String), Field(name="many", dtype=Float64)])
def one_pandas(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["far"] = df["km"] * 2
    out["loud"] = df["word"].str.upper()
    out["many"] = df["n"] / 3
    return out


@on_demand_feature_view(sources=[trips], entities=[driver], mode="python", write_to_online_store=True,
                        schema=[Field(name="far", dtype=Float64), Field(name="sum", dtype=Float64), Field(name="text", dtype=String)])
def one_python(inputs):
    return {
        "far": [k * 2 for k in inputs["km"]],
        "sum": [k + n for k, n in zip(inputs["km"], inputs["n"])],
        "text": [f"{n} {w}" for n, w in zip(inputs["n"], inputs["word"])],
    }


@on_demand_feature_view(sources=[trips, pay], entities=[driver], mode="pandas", write_to_online_store=True,
                        schema=[Field(name="per_km", dtype=Float64), Field(name="total", dtype=Float64)])
def two_pandas(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["per_km"] = df["rate"] / df["km"]
    out["total"] = (df["won"].fillna(0) + df["n"].fillna(0)).astype("float64")
    return out


@on_demand_feature_view(sources=[trips, pay], entities=[driver], mode="python", write_to_online_store=True,
                        schema=[Field(name="sum", dtype=Float64), Field(name="word", dtype=String)])
def two_python(inputs):
    return {"sum": [r + k for r, k in zip(inputs["rate"], inputs["km"])], "word": inputs["word"]}


@on_demand_feature_view(sources=[trips], entities=[driver], mode="pandas", write_to_online_store=True,
                        schema=[Field(name="km", dtype=Float64), Field(name="share", dtype=Float64)])
def replaced(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["km"] = df["km"] + 1
    out["share"] = df["km"] / df["km"].max()
    return out
'''
VIEWS = ["one_pandas", "one_python", "two_pandas", "two_python", "replaced"]
# The command line of Feast makes no tables for on-demand views in SQLite, the SDK does.
APPLY = f"import features as f; from feast import FeatureStore; FeatureStore('.').apply([f.driver, f.trips, f.pay, {', '.join('f.' + v for v in VIEWS)}])"
DAY = datetime(2024, 3, 1, tzinfo=timezone.utc)
RUNS = [("materialize", "2024-03-01T00:00:00", "2024-03-02T23:59:59"), ("materialize", "2024-03-03T00:00:00", "2024-03-05T23:59:59"), ("materialize-incremental", "2024-03-09T23:59:59")]
SPANS = [(0, 48), (48, 120), (144, 216)]  # of the runs, in hours; the last one begins a ttl before its end


def load(dsn: str) -> None:
    """Two tables with nulls in every feature. In each window, a driver has rows in one of them, or newest rows of
    one time in both."""
    some = random.Random(7)
    maybe = lambda v: None if some.random() < 0.2 else v  # noqa: E731
    with psycopg.connect(dsn + "postgres", autocommit=True) as c:
        c.execute("CREATE DATABASE stored")
    with psycopg.connect(dsn + "stored", autocommit=True) as c:
        c.execute("CREATE TABLE trips (driver_id bigint, n bigint, km float8, word text, at timestamptz, made timestamptz)")
        c.execute("CREATE TABLE pay (driver_id bigint, won bigint, rate float8, at timestamptz, made timestamptz)")
        for driver in range(1, 30):
            hours = some.sample(range(9 * 24), 12)
            for hour in hours:
                at = DAY + timedelta(hours=hour)
                c.execute("INSERT INTO trips VALUES (%s, %s, %s, %s, %s, %s)", (driver, maybe(some.randrange(100)), maybe(some.randrange(1, 999) / 8), maybe(some.choice(["a", "beta", "Ünï"])), at, at))
            for first, last in SPANS if driver % 5 else []:
                inside = [h for h in hours if first <= h < last]
                if inside and some.random() < 0.3:
                    continue
                at = DAY + timedelta(hours=max(inside, default=first + 1))
                c.execute("INSERT INTO pay VALUES (%s, %s, %s, %s, %s)", (driver, maybe(some.randrange(10**6)), maybe(some.randrange(999) / 4), at, at))


def rows(repo: Path, view: str) -> dict[tuple, Any]:
    """The stored features of a view, without join keys and times."""
    db = sqlite3.connect(repo / "online.db")
    found = db.execute(f"SELECT entity_key, feature_name, value FROM p_{view} WHERE feature_name <> 'driver_id'").fetchall()
    db.close()
    return {(key.hex(), name): value for key, name, value in found}


def compare(w: Any, equal: Any) -> None:
    """w is the comparison's World."""
    load(f"host=localhost port={w.pg} user=feast password=password dbname=")
    repos = {}
    for program in (w.feast, w.banquet):
        repo = repos[program] = w.work / f"stored_{Path(program).name}"
        repo.mkdir()
        (repo / "feature_store.yaml").write_text(YAML.format(port=w.pg))
        (repo / "features.py").write_text(FEATURES)
    w.run(w.banquet, repos[w.banquet], "apply", TZ="UTC")
    w.run(sys.executable, repos[w.feast], "-c", APPLY, TZ="UTC")
    for args in RUNS:
        for program, repo in repos.items():
            w.run(program, repo, *args, *(a for v in VIEWS for a in ("-v", v)), TZ="UTC")
        for view in VIEWS:
            want, got = (rows(repos[p], view) for p in (w.feast, w.banquet))
            assert len(want) > 40, f"Feast has stored {len(want)} values of {view}"
            equal(f"rows of {view} after {' '.join(args)}", want, got)
    before = {v: rows(repos[w.banquet], v) for v in VIEWS}
    out = w.run(w.banquet, repos[w.banquet], *RUNS[0], "-v", "one_pandas", TZ="UTC")
    assert "older than the stored rows" in out, out
    equal("rows after an older window again", before["one_pandas"], rows(repos[w.banquet], "one_pandas"))
