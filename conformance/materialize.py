"""Materializes random tables with Feast and with banquet, and compares the items in DynamoDB.

Windows that follow each other give equal items, byte for byte. A window that is older than what is stored
overwrites newer rows in Feast, and changes nothing in banquet. A run that is killed gives the same items
after a rerun.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import psycopg

import servers
import training
import trainingsets as sets

YAML = """project: random
provider: local
registry: registry.db
online_store: {{type: dynamodb, region: ap-northeast-2, endpoint_url: "{endpoint}"}}
offline_store: {{type: postgres, host: localhost, port: {port}, database: {database}, user: feast, password: password, sslmode: disable}}
entity_key_serialization_version: 3
"""
WORLDS = (0, 1, 4, 5, 6)
WINDOWS = [("materialize", 0, 3), ("materialize-incremental", 0, 7), ("materialize-incremental", 0, 9)]  # in steps of the grid


def tamed(w: sets.World) -> sets.World:
    """Leaves out what Feast cannot materialize (views without entities, null keys, created times that are
    null, names that need more than quotes), what it rounds (integers beyond a float's), and rows of which it
    takes any: those of one event time, if there is no created time to choose by."""
    quotes = lambda v: any('"' in n for n, _ in v.source.columns())  # noqa: E731
    w.views = [v for v in w.views if v.source.keys and not quotes(v) and (v.view.batch_source.get_table_query_string() != v.source.name or v.source.name.isidentifier())]
    for v in w.views:
        s = v.source
        s.rows = [r for r in s.rows if all(r[c] is not None for _, c in s.keys) and (not s.created or r[s.created] is not None)]
        if not s.created:
            s.rows = list({(*(r[c] for _, c in s.keys), r[s.time]): r for r in reversed(s.rows)}.values())
        for row in s.rows:
            for f in s.features:
                if isinstance(row[f.column], int) and abs(row[f.column]) > 2**53:
                    row[f.column] = None
    return w


def at(step: int) -> Any:
    return sets.DAY + sets.STEP * step


def run(w: Any, repo: Path, *args: str) -> None:
    w.run(w.banquet, repo, *args, TZ="UTC")


def stored(w: Any, endpoint: str, views: list[sets.View]) -> dict[str, dict]:
    return {v.name: w.items(f"random.{v.name}", endpoint) for v in views}


def repository(base: Path, name: str, **values: Any) -> Path:
    repo = base / name
    repo.mkdir(parents=True)
    (repo / "feature_store.yaml").write_text(YAML.format(**values))
    return repo


def compare(w: Any, equal: Any) -> None:
    """w is the comparison's World."""
    from feast import FeatureStore

    warnings.simplefilter("ignore")
    os.environ.update({k: v for k, v in w.env.items() if k.startswith("AWS_")})
    for number in WORLDS:
        world = tamed(sets.world(number, ""))
        database, dsn = f"random_{number}", f"host=localhost port={w.pg} user=feast password=password dbname="
        with psycopg.connect(dsn + "postgres", autocommit=True) as c:
            c.execute(f"CREATE DATABASE {database}")
        with psycopg.connect(dsn + database, autocommit=True) as c, c.cursor() as cursor:
            training.load(cursor, world)
        with servers.moto() as theirs, servers.moto() as ours:
            base = w.work / database
            feast, banquet = (repository(base, name, endpoint=endpoint, port=w.pg, database=database) for name, endpoint in (("feast", theirs), ("banquet", ours)))
            store = FeatureStore(repo_path=str(feast))
            store.apply([k.entity for k in world.keys] + [v.view for v in world.views])
            (banquet / "registry.db").write_bytes((feast / "registry.db").read_bytes())
            names = [v.name for v in world.views]
            tables(w, ours, names)
            for command, start, end in WINDOWS:
                with contextlib.redirect_stdout(io.StringIO()):
                    if command == "materialize":
                        store.materialize(at(start), at(end), names)
                    else:
                        store.materialize_incremental(at(end), names)
                views = [a for n in names for a in ("-v", n)]
                run(w, banquet, command, *([at(start).isoformat()] if command == "materialize" else []), at(end).isoformat(), *views)
                for v in world.views:
                    equal(f"items of {v.name} of world {number} after {command} to {at(end)}", w.items(f"random.{v.name}", theirs), w.items(f"random.{v.name}", ours))
            before = stored(w, ours, world.views)
            run(w, banquet, "materialize", at(0).isoformat(), at(2).isoformat(), *views)
            for v in world.views:
                equal(f"items of {v.name} of world {number} after an older window again", before[v.name], stored(w, ours, [v])[v.name])


def interrupted(w: Any, equal: Any) -> None:
    """A run is killed when some items are stored; after a rerun all are, as after an undisturbed run."""
    rows, database, dsn = 4000, "interrupted", f"host=localhost port={w.pg} user=feast password=password dbname="
    features = f"""
from datetime import timedelta
from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Int64, String

k = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)
v = FeatureView(name="v", entities=[k], ttl=timedelta(days=0), schema=[Field(name="k", dtype=Int64), Field(name="n", dtype=Int64), Field(name="s", dtype=String)],
                source=PostgreSQLSource(name="src", query="SELECT * FROM src", timestamp_field="at", created_timestamp_column="made"))
"""
    with psycopg.connect(dsn + "postgres", autocommit=True) as c:
        c.execute(f"CREATE DATABASE {database}")
    with psycopg.connect(dsn + database, autocommit=True) as c:
        c.execute(f"""CREATE TABLE src AS SELECT (i * 7919 % {rows})::bigint AS k, i::bigint AS n, 'text ' || i AS s,
                      timestamptz '2024-03-10 00:00:00+00' + make_interval(secs => i % 5000) AS at, timestamptz '2024-03-11 00:00:00+00' + make_interval(secs => i) AS made
                      FROM generate_series(1, {4 * rows}) i""")
    window = ("2024-03-10T00:00:00", "2024-03-10T03:00:00", "-v", "v")

    def prepared(name: str, endpoint: str) -> Path:
        repo = repository(w.work / database, name, endpoint=endpoint, port=w.pg, database=database)
        (repo / "features.py").write_text(features)
        run(w, repo, "apply")
        return repo

    def registered(repo: Path) -> int:
        from feast.protos.feast.core.Registry_pb2 import Registry
        return len(Registry.FromString((repo / "registry.db").read_bytes()).feature_views[0].meta.materialization_intervals)

    with servers.moto() as endpoint:
        run(w, prepared("undisturbed", endpoint), "materialize", *window)
        want = w.items("random.v", endpoint)
    equal("items of an undisturbed run", rows, len(want))
    for enough in (1, rows // 2):
        with servers.moto() as endpoint:
            repo = prepared(f"killed_{enough}", endpoint)
            p = subprocess.Popen([w.banquet, "materialize", *window], cwd=repo, env=w.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while p.poll() is None and w.client(endpoint).describe_table(TableName="random.v")["Table"]["ItemCount"] < enough:
                time.sleep(0.02)
            p.kill()
            assert p.wait() == -signal.SIGKILL, "the run ended before it was killed"
            partly = len(w.items("random.v", endpoint))
            assert partly >= enough and registered(repo) == 0, f"{partly} items, {registered(repo)} intervals after a killed run"
            run(w, repo, "materialize", *window)
            equal(f"items of a run that was killed after {partly} items", want, w.items("random.v", endpoint))
            equal("recorded intervals", 1, registered(repo))


def tables(w: Any, endpoint: str, views: list[str]) -> None:
    """The tables that Feast's apply makes."""
    for v in views:
        w.client(endpoint).create_table(TableName=f"random.{v}", KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
                                        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
