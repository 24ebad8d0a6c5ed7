#!/usr/bin/env python3
"""Compares the training sets of banquet with those of the real Feast, over random tables and files.

Each cell of banquet must come from a row that a point-in-time join may choose, and be Feast's too. Where
Feast gives something else, its reason must be in ALLOWED.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Callable

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from feast import FeatureStore

import servers
import trainingsets as sets
from trainingsets import Projection, Request, World

YAML = "project: training\nprovider: local\nregistry: registry.db\nonline_store: {{type: sqlite, path: online.db}}\noffline_store: {{{store}}}\nentity_key_serialization_version: 3\n"
# Zones of the connections, by the number of the world: a quarter is not in UTC.
ZONES = ["UTC", "UTC", "UTC", "Asia/Seoul"]


def plain(v: Any) -> Any:
    """A cell so that equal ones have equal texts, whatever library made it."""
    if v is None or v is pd.NaT or v is pd.NA:
        return None
    if isinstance(v, float):
        return "NaN" if math.isnan(v) else repr(v)
    if isinstance(v, datetime):
        t = sets.instant(v.to_pydatetime(warn=False) if isinstance(v, pd.Timestamp) else v)
        return t.isoformat()
    if isinstance(v, date):
        return sets.instant(v).isoformat()
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v if isinstance(v, (bytes, str, bool, int)) else repr(float(v))  # a Decimal


def wanted(f: sets.Column, v: Any) -> Any:
    """A value of the data in the type that a training set has."""
    return plain(float(v)) if v is not None and f.kind in ("numeric",) else plain(v)


@dataclass
class Cell:
    """The features of one view for one entity row that are not Feast's."""

    world: World
    ask: Request
    projection: Projection
    row: dict[str, Any]
    feast: list[tuple]  # none if Feast lost the entity row
    banquet: tuple

    @property
    def source(self) -> sets.Source:
        return self.projection.view.source

    def fitting(self, p: Projection | None = None) -> list[dict[str, Any]]:
        """The source's rows with the keys of the entity row."""
        p = p or self.projection
        return [r for r in p.view.source.rows if all(r[c] == self.row[p.keys.get(k.name, k.name)] for k, c in p.view.source.keys)]

    def undated(self) -> bool:
        """A row that fits has no created time."""
        s = self.source
        return bool(s.created) and any(r[s.created] is None and sets.instant(r[s.time]) <= self.row[self.ask.time] for r in self.fitting())

    def null_key(self) -> bool:
        return any(self.row[p.keys.get(k.name, k.name)] is None for p in self.ask.projections for k, _ in p.view.source.keys)

    def late(self) -> bool:
        """A view has rows for the keys, but none in time."""
        return any(self.fitting(p) and not sets.chosen(p, self.row, self.row[self.ask.time]) for p in self.ask.projections)

    def repeated(self) -> bool:
        """Another entity row has the same time and the same keys of the first view."""
        p = self.ask.projections[0]
        names = [self.ask.time] + [p.keys.get(k.name, k.name) for k, _ in p.view.source.keys]
        return sum(all(r[n] == self.row[n] for n in names) for r in self.ask.rows) > 1

    def tied(self) -> bool:
        """Feast's row has the right event time, and another created time."""
        s, best = self.source, sets.chosen(self.projection, self.row, self.row[self.ask.time], self.ask.start)
        same = [r for r in self.fitting() if best and sets.instant(r[s.time]) == sets.instant(best[0][s.time])]
        return any(all(alike(f, wanted(c, r[c.column])) for f, c in zip(of, self.projection.features)) for r in same for of in self.feast)

    def elsewhere(self) -> bool:
        """The connection's zone is not UTC, and a time of the view has no zone."""
        s = self.source
        return not self.world.files and ZONES[self.world.number % 4] != "UTC" and (s.time_kind != "timestamptz" or bool(s.created) and s.created_kind != "timestamptz")


@dataclass
class Allowed:
    reason: str
    when: Callable[[Cell], bool]
    uses: int = 0


# Counted by Comparison.ranged too.
DAYS = Allowed("a date is its midnight; Feast makes days of the bounds of a range", lambda c: c.ask.start is not None and c.source.time_kind == "date")
ALLOWED = [
    DAYS,
    Allowed("Feast loses source rows whose created time is null", lambda c: not c.world.files and c.undated()),
    Allowed("a time without a zone is UTC, whatever the connection's zone", Cell.elsewhere),
    Allowed("Feast's file store loses entity rows for which a view has rows, but none in time", lambda c: c.world.files and not c.feast and c.late()),
    Allowed("Feast's file store joins entity rows of one time that differ only in keys of later views", lambda c: c.world.files and not c.feast and c.repeated()),
    Allowed("Feast's file store takes any row of the newest event time, whenever it was created", lambda c: c.world.files and c.tied()),
    Allowed("in a range of several views Feast takes any row of the newest event time, whenever it was created", lambda c: c.ask.start is not None and c.tied()),
    Allowed("Feast's file store takes null for a key that equals null", lambda c: c.world.files and c.null_key()),
]


# Counted by Comparison.ranged.
KEYLESS = Allowed("a range of several views has no rows without a key", lambda c: False)


@dataclass
class Failure:
    """An error of Feast where banquet makes a training set."""

    reason: str
    error: str
    when: Callable[[World, Request], bool] = lambda w, ask: True
    uses: int = 0


def odd(w: World, ask: Request) -> bool:
    """A name needs more than quotes around it, or the name of a table needs quotes, which Feast does not write."""
    names = [f.column for p in ask.projections for f in p.features] + [n for p in ask.projections for n in (p.view.source.name, p.view.source.time)]
    return not w.files and any(re.fullmatch("[a-z_0-9]+", n) is None for n in names)


def renamed(ask: Request) -> bool:
    return any(p.keys or c != k.name for p in ask.projections for k, c in p.view.source.keys)


def naive(w: World, ask: Request) -> bool:
    return w.files and any("timestamp" in (p.view.source.time_kind, p.view.source.created_kind) for p in ask.projections)


FAILURES = [
    Failure("Feast does not quote all names", "SyntaxError: syntax error|UndefinedTable: |UndefinedColumn: ", odd),
    Failure("Feast finds no time column of another name in SQL", "EntityTimestampInferenceException: ", lambda w, ask: ask.sql and ask.time != "event_timestamp"),
    Failure("Feast cannot load a column of nothing but nulls", r'SyntaxError: syntax error at or near "null"', lambda w, ask: not ask.sql),
    Failure("a range of time of Feast knows no other names of join keys", r'UndefinedColumn: column "(other_)?k\d" does not exist', lambda w, ask: ask.start is not None and renamed(ask)),
    Failure("Feast's file store fails on times without a zone if no entity row has a match", "TypeError: Invalid comparison between dtype=datetime64.*", naive),
]


class Runner:
    """Both programs on one repository."""

    def __init__(self, banquet: str, dir: Path, w: World, store: str, cursor: Any):
        self.banquet, self.dir, self.world, self.cursor = banquet, dir, w, cursor
        (dir / "feature_store.yaml").write_text(YAML.format(store=store))
        self.store = FeatureStore(repo_path=str(dir))
        self.store.apply(w.objects)

    def entity_df(self, ask: Request) -> tuple[Any, str]:
        """The entity rows for Feast, and for banquet."""
        keys = {p.keys.get(k.name, k.name): k for p in ask.projections for k, _ in p.view.source.keys}
        columns = {n: [row[n] for row in ask.rows] for n in ask.rows[0]}
        for name, key in keys.items():  # integers with nulls must not become floats
            columns[name] = pd.array(columns[name], dtype={"bigint": "Int64", "integer": "Int64", "boolean": "boolean"}.get(key.kind, "object"))
        frame = pd.DataFrame(columns)
        frame[ask.time] = frame[ask.time].dt.tz_convert(ask.zone)
        if ask.sql:
            names = list(frame.columns)
            types = {"entity_row": "bigint", ask.time: "timestamptz", "note": "text", "amount": "double precision"}
            types |= {n: sets.KEYS[k.kind][0] for n, k in keys.items()}
            self.cursor.execute("DROP TABLE IF EXISTS entity_rows")
            self.cursor.execute("CREATE TABLE entity_rows (" + ", ".join(f'"{n}" {types[n]}' for n in names) + ")")
            self.cursor.executemany("INSERT INTO entity_rows VALUES (" + ", ".join(["%s"] * len(names)) + ")", [[r[n] for n in names] for r in ask.rows])
            return (random.Random(len(ask.features)).choice(["SELECT * FROM entity_rows", "WITH e AS (SELECT * FROM entity_rows) SELECT * FROM e ORDER BY entity_row", "(TABLE entity_rows)"]),) * 2
        path = self.dir / ("entities.csv" if ask.csv else "entities.parquet")
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if ask.csv:
            pc.write_csv(table, path)
        else:
            pq.write_table(table, path)
        return frame, str(path)

    def feast(self, ask: Request, rows: Any) -> pa.Table:
        features = self.store.get_feature_service(ask.service) if ask.service else ask.features
        span = {"start_date": ask.start, "end_date": ask.end} if ask.start else {"entity_df": rows}
        with contextlib.redirect_stdout(io.StringIO()):
            return self.store.get_historical_features(features=features, full_feature_names=ask.full, **span).to_arrow()

    def ours(self, ask: Request, rows: str) -> pa.Table:
        out = self.dir / "out.parquet"
        args = ["--feature-service", ask.service] if ask.service else [a for f in ask.features for a in ("-f", f)]
        args += ["--start-date", ask.start.isoformat(), "--end-date", ask.end.isoformat()] if ask.start else ["--entity-df", rows]
        p = subprocess.run([self.banquet, "get-historical-features", *args, *(["--full-feature-names"] if ask.full else []), "-o", str(out)], cwd=self.dir, capture_output=True, text=True, timeout=60)
        if p.returncode:
            raise RuntimeError(p.stderr.strip())
        return pq.read_table(out)


def features(ask: Request, table: pa.Table) -> dict[int, list[list[tuple]]]:
    """For each entity row, the features of each view in each of its rows."""
    columns = {n: [plain(v) for v in c.to_pylist()] for n, c in zip(table.column_names, table.columns)}
    out: dict[int, list[list[tuple]]] = {}
    for i, n in enumerate(columns["entity_row"]):
        views = out.setdefault(int(float(n)), [[] for _ in ask.projections])
        for v, p in enumerate(ask.projections):
            views[v].append(tuple(columns[f"{p.name}__{f.name}" if ask.full else f.name][i] for f in p.features))
    return out


def alike(a: Any, b: Any) -> bool:
    """pandas makes integers with nulls floats, and knows no float of 32 bits in them."""
    if a == b or a in (None, "NaN") and b in (None, "NaN"):
        return True
    try:
        return not isinstance(a, (list, bool)) and not isinstance(b, (list, bool)) and float(a) == float(b)
    except (TypeError, ValueError):
        return False


class Comparison:
    def __init__(self, show: int):
        self.show, self.counts, self.failed, self.errors = show, Counter(), 0, Counter()

    def fail(self, r: Runner, ask: Request, what: str) -> None:
        self.failed += 1
        if self.failed <= self.show:
            span = f"{ask.start} to {ask.end}" if ask.start else f"{len(ask.rows)} rows, sql {ask.sql}, csv {ask.csv}, time {ask.time}"
            print(f"DIFFERENT world {r.world.number}{' of files' if r.world.files else ''}, {ask.service or ask.features} full {ask.full}, {span}: {what}"[:1500], flush=True)

    def request(self, r: Runner, ask: Request) -> None:
        self.counts["requests"] += 1
        rows, path = (None, "") if ask.start else r.entity_df(ask)
        try:
            want = r.feast(ask, rows)
        except Exception as e:  # noqa: BLE001: whatever Feast fails with is compared
            want = e
        try:
            got = r.ours(ask, path)
        except RuntimeError as e:
            if not isinstance(want, Exception):
                self.fail(r, ask, f"banquet fails and Feast does not: {e}")
                return
            self.counts["errors of both"] += 1
            self.errors[f"{type(want).__name__}: {str(want).splitlines()[0][:150]} | {e}"] += 1
            return
        if isinstance(want, Exception):
            said = f"{type(want).__name__}: {want}"
            failure = next((f for f in FAILURES if re.match(f.error, said, re.DOTALL) and f.when(r.world, ask)), None)
            if failure:
                failure.uses += 1
            else:
                self.fail(r, ask, f"Feast fails and banquet does not: {said[:600]}")
            if not ask.start:
                self.joined(r, ask, None, got)
            return
        self.schema(r, ask, want, got)
        if ask.start:
            self.ranged(r, ask, want, got)
        else:
            self.joined(r, ask, want, got)

    def schema(self, r: Runner, ask: Request, want: pa.Table, got: pa.Table) -> None:
        if want.column_names != got.column_names:
            self.fail(r, ask, f"columns {got.column_names}, Feast's are {want.column_names}")
        if r.world.files or ask.csv:
            return
        for name, a, b in zip(want.column_names, want.schema.types, got.schema.types):
            if a != b:
                self.fail(r, ask, f"column {name} is {b}, Feast's is {a}")

    def joined(self, r: Runner, ask: Request, want: pa.Table | None, got: pa.Table) -> None:
        order = [int(float(n)) for n in got.column("entity_row").to_pylist()]
        if order != [row["entity_row"] for row in ask.rows]:
            self.fail(r, ask, f"entity rows {order}")
            return
        feasts, ours = features(ask, want) if want is not None else None, features(ask, got)
        for row in ask.rows:
            for v, p in enumerate(ask.projections):
                self.counts["features"] += len(p.features)
                mine = ours[row["entity_row"]][v][0]
                cell = Cell(r.world, ask, p, row, feasts.get(row["entity_row"], [[]] * len(ask.projections))[v] if feasts is not None else [], mine)
                may = [tuple(wanted(f, x[f.column]) for f in p.features) for x in sets.chosen(p, row, row[ask.time], ask.start)] or [(None,) * len(p.features)]
                if not any(all(map(alike, mine, m)) for m in may):
                    self.fail(r, ask, f"{p.name}, entity row {row}: {mine}, of the data {may}, Feast's {cell.feast}, ttl {p.view.ttl}, of {cell.fitting()}")
                    continue
                if feasts is None:
                    continue
                if any(all(map(alike if r.world.files else lambda a, b: a == b, mine, f)) for f in cell.feast):
                    continue
                for a in ALLOWED:
                    if a.when(cell):
                        a.uses += 1
                        break
                else:
                    self.fail(r, ask, f"{p.name}, entity row {row}: {mine}, Feast's {cell.feast}, ttl {p.view.ttl}, of {cell.fitting()}")

    def ranged(self, r: Runner, ask: Request, want: pa.Table, got: pa.Table) -> None:
        feasts, ours = ([{n: plain(v) for n, v in row.items()} for row in t.to_pylist()] for t in (want, got))
        self.counts["rows of ranges"] += len(ours)
        if len(ask.projections) == 1:
            self.counted(r, ask, len(ours))
            a, b = (Counter(map(repr, rows)) for rows in (feasts, ours))
            if a != b and ask.projections[0].view.source.time_kind == "date" and not b - a:
                DAYS.uses += 1
            elif a != b:
                self.fail(r, ask, f"rows only of Feast {list((a - b).elements())[:3]}, only of banquet {list((b - a).elements())[:3]}, of {len(feasts)} and {len(ours)}")
            return
        first = ask.projections[0]
        names = [first.keys.get(k.name, k.name) for k, _ in first.view.source.keys]
        moments = [[row["event_timestamp"], *(row[n] for n in names)] for row in feasts if not any(row[n] is None for n in names)]
        KEYLESS.uses += len(feasts) - len(moments)
        a, b = Counter(map(repr, moments)), Counter(repr([row["event_timestamp"], *(row[n] for n in names)]) for row in ours)
        if a != b and not b - a and any(p.view.source.time_kind == "date" for p in ask.projections):
            DAYS.uses += 1
        elif a != b:
            self.fail(r, ask, f"times and keys only of Feast {list((a - b).elements())}, only of banquet {list((b - a).elements())}")
            return
        # As if the times and keys were entity rows.
        for i, (row, at) in enumerate(zip(ours, got.column("event_timestamp").to_pylist())):
            row |= {"entity_row": i, "event_timestamp": sets.instant(at)}
        number = {repr([plain(row["event_timestamp"]), *(row[n] for n in names)]): row["entity_row"] for row in ours}
        numbers = [number.get(repr([row["event_timestamp"], *(row[n] for n in names)])) for row in feasts]
        ask.rows = ours
        kept = pa.array([n is not None for n in numbers])
        self.joined(r, ask, want.append_column("entity_row", pa.array(numbers, pa.int64())).filter(kept), got.append_column("entity_row", pa.array(range(len(ours)), pa.int64())))

    def counted(self, r: Runner, ask: Request, rows: int) -> None:
        """Checks how many rows a range of one view has."""
        s = ask.projections[0].view.source
        want = sum(ask.start <= sets.instant(row[s.time]) <= ask.end for row in s.rows)
        if rows != want:
            self.fail(r, ask, f"{rows} rows, of the data {want}")


def load(cursor: Any, w: World) -> None:
    """Makes the tables of a world."""
    for v in w.views:
        quote = lambda n: '"' + n.replace('"', '""') + '"'  # noqa: E731
        s = v.source
        types = {name: sets.KEYS[kind[4:]][0] if kind.startswith("key ") else sets.KINDS[kind][0] if kind in sets.KINDS else kind for name, kind in s.columns()}
        cursor.execute(f"CREATE TABLE {quote(s.name)} (" + ", ".join(f"{quote(n)} {t}" for n, t in types.items()) + ")")
        cursor.executemany(f"INSERT INTO {quote(s.name)} VALUES (".replace("%", "%%") + ", ".join(["%s"] * len(types)) + ")", [[row[n] for n in types] for row in s.rows])
        if w.number % 2:
            cursor.execute(f"CREATE INDEX ON {quote(s.name)} (" + "".join(quote(c) + ", " for _, c in s.keys) + f"{quote(s.time)} DESC)")


def write(w: World, dir: Path) -> None:
    """Writes the files of a world."""
    kinds = {k: v[1] for k, v in sets.KINDS.items()}
    of = {"timestamp[us, tz=UTC]": pa.timestamp("us", "UTC"), "timestamp[us]": pa.timestamp("us"), "list<int64>": pa.list_(pa.int64()), "list<string>": pa.list_(pa.string()), "list<float64>": pa.list_(pa.float64())}
    for v in w.views:
        s = v.source
        fields = []
        for name, kind in s.columns():
            t = sets.KEYS[kind[4:]][1] if kind.startswith("key ") else kinds[kind]
            fields.append(pa.field(name, of.get(t) or getattr(pa, {"bool": "bool_"}.get(t, t))()))
        pq.write_table(pa.Table.from_pylist(s.rows, schema=pa.schema(fields)), dir / f"{s.name}.parquet")


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--seed", type=int, help="run only this world, which may be any number")
    args.add_argument("--worlds", type=int, default=14, help="how many repositories over PostgreSQL; a third as many over files")
    args.add_argument("-n", type=int, default=12, help="requests of each repository")
    args.add_argument("--show", type=int, default=10, help="how many differences to print")
    opt = args.parse_args()
    os.environ.update(FEAST_USAGE="False")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    began, c = time.monotonic(), Comparison(opt.show)
    numbers = [opt.seed] if opt.seed is not None else range(opt.worlds)
    with tempfile.TemporaryDirectory(prefix="training") as work, servers.postgres() as port:
        dsn = f"host=localhost port={port} user=feast password=password dbname="
        for n in numbers:
            for files in (False, True) if n % 3 == 0 or opt.seed is not None else (False,):
                dir = Path(work) / f"{n}{'files' if files else ''}"
                dir.mkdir()
                w = sets.world(n, str(dir) if files else "")
                name = f"world_{n}"
                if files:
                    write(w, dir)
                    asked(opt, c, Runner(opt.banquet, dir, w, "type: file", None))
                    continue
                with psycopg.connect(dsn + "postgres", autocommit=True) as conn:
                    conn.execute(f"CREATE DATABASE {name}")
                    conn.execute(f"ALTER DATABASE {name} SET timezone TO '{ZONES[n % 4]}'")
                with psycopg.connect(dsn + name, autocommit=True) as conn, conn.cursor() as cursor:
                    load(cursor, w)
                    asked(opt, c, Runner(opt.banquet, dir, w, f"type: postgres, host: localhost, port: {port}, database: {name}, user: feast, password: password, sslmode: disable", cursor))
    for a in [*ALLOWED, KEYLESS, *FAILURES]:
        print(f"{a.uses:6} {a.reason}")
    for reason, n in c.errors.items():
        print(f"{n:6} {reason}")
    print(f"training sets: {', '.join(f'{n} {what}' for what, n in c.counts.items())} compared, {c.failed} differ, {time.monotonic() - began:.0f} s")
    return 1 if c.failed else 0


def asked(opt: Any, c: Comparison, r: Runner) -> None:
    rng = random.Random(f"requests {r.world.number} {r.world.files}")
    for _ in range(opt.n):
        c.request(r, sets.request(rng, r.world))


if __name__ == "__main__":
    sys.exit(main())
