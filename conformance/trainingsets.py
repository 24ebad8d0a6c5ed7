"""Random data sources, feature views and entity rows: a seed gives the same ones every time.

Times lie on a grid of half hours, and keys are few, so that ties, rows at the very edge of a ttl and
entity rows without a match occur in every table.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast import types as ft
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

UTC = timezone.utc
DAY = datetime(2024, 3, 10, tzinfo=UTC)
STEP = timedelta(minutes=30)
TTLS = [timedelta(0), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=3), timedelta(days=1), timedelta(days=3650)]
NAMES = ["plain", "Upper", "a b", "order", "prozent%", "ünï", "x-y", "select", "colon;", "$1", 'quo"te']

# Value types of features: SQL's type, Arrow's for files (None: not in files), Feast's, and values.
KINDS: dict[str, tuple[str, str | None, Any, list]] = {
    "bigint": ("bigint", "int64", ft.Int64, [0, 1, -7, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "integer": ("integer", "int32", ft.Int32, [0, 1, -7, 2**31 - 1]),
    "smallint": ("smallint", None, ft.Int32, [0, 1, -7, 2**15 - 1]),
    "double": ("double precision", "float64", ft.Float64, [0.0, -0.0, 0.1, 1e300, 5e-324, float("inf")]),
    "real": ("real", "float32", ft.Float32, [0.0, 0.5, -2.25, 1e10]),
    "text": ("text", "string", ft.String, ["", "a", "ünï", "日本語", "line\nbreak", 'a "quoted" text', "NULL", "\\N", "0"]),
    "varchar": ("varchar(40)", None, ft.String, ["", "a", "ünï", " blank "]),
    "boolean": ("boolean", "bool", ft.Bool, [True, False]),
    "timestamptz": ("timestamptz", "timestamp[us, tz=UTC]", ft.UnixTimestamp, [DAY, DAY + timedelta(microseconds=123456)]),
    "timestamp": ("timestamp", "timestamp[us]", ft.UnixTimestamp, [datetime(2024, 3, 10, 2, 30), datetime(1999, 12, 31, 23, 59, 59, 999999)]),
    "numeric": ("numeric(12,3)", None, ft.Float64, [0, 1.5, -12345.678]),
    "bytea": ("bytea", "binary", ft.Bytes, [b"", b"\x00\xff", b"text"]),
    "bigints": ("bigint[]", "list<int64>", ft.Array(ft.Int64), [[], [1], [2**53 + 1, -1]]),
    "texts": ("text[]", "list<string>", ft.Array(ft.String), [[], ["a"], ["", "ünï"]]),
    "doubles": ("double precision[]", "list<float64>", ft.Array(ft.Float64), [[], [0.5, -1.0]]),
}

# Join keys: SQL's type of the column, Arrow's, the entity's type, values.
KEYS: dict[str, tuple[str, str, ValueType, Any, list]] = {
    "bigint": ("bigint", "int64", ValueType.INT64, ft.Int64, [1, 2, -3, 2**53 + 1, 23]),
    "integer": ("integer", "int32", ValueType.INT32, ft.Int32, [1, 2, -3, 23]),
    "text": ("text", "string", ValueType.STRING, ft.String, ["1", "23", "ünï", "a b", ""]),
    "varchar": ("varchar(20)", "string", ValueType.STRING, ft.String, ["1", "23", "ünï", "a b"]),
    "boolean": ("boolean", "bool", ValueType.BOOL, ft.Bool, [True, False]),
}


@dataclass
class Key:
    name: str
    kind: str
    entity: Entity

    def some(self, rng: random.Random, absent: float) -> Any:
        """A value, sometimes null or one that no source has."""
        values = KEYS[self.kind][4]
        if rng.random() < absent:
            return None
        if rng.random() < 0.1 and self.kind != "boolean":
            return "nobody" if isinstance(values[0], str) else 99
        return rng.choice(values)


@dataclass
class Column:
    """A feature, and the column of its source."""

    name: str
    column: str
    kind: str


@dataclass
class Source:
    """A table or file with its rows: a value for each column."""

    name: str
    keys: list[tuple[Key, str]]  # with the column
    features: list[Column]
    time: str
    time_kind: str
    created: str
    created_kind: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def columns(self) -> list[tuple[str, str]]:
        """Names and kinds, with the kind of a key as KEYS has it."""
        out = [(c, "key " + k.kind) for k, c in self.keys] + [(self.time, self.time_kind)]
        out += [(self.created, self.created_kind)] if self.created else []
        return out + [(f.column, f.kind) for f in self.features]


@dataclass
class View:
    source: Source
    view: FeatureView
    ttl: timedelta

    @property
    def name(self) -> str:
        return self.view.name


@dataclass
class Projection:
    """A view as a request uses it: the name of its columns' prefix, and the caller's names of join keys."""

    view: View
    name: str
    keys: dict[str, str]
    features: list[Column]


@dataclass
class World:
    """One repository: views and services over sources of one store."""

    number: int
    files: bool
    keys: list[Key]
    views: list[View]
    services: dict[str, list[Projection]]
    objects: list[Any]


def moment(rng: random.Random, kind: str) -> Any:
    """An event time on the grid, of a column's kind."""
    t = DAY + STEP * rng.randrange(12)
    if rng.random() < 0.1:
        t += timedelta(microseconds=rng.choice([1, -1, 999999]))
    if kind == "date":
        return (DAY + timedelta(days=rng.randrange(-2, 2))).date()
    return t if kind == "timestamptz" else t.replace(tzinfo=None)


def instant(t: Any) -> datetime | None:
    """The time that a value of a time column means: without a zone it is UTC."""
    if t is None:
        return None
    if not isinstance(t, datetime):
        t = datetime(t.year, t.month, t.day)
    return t.astimezone(UTC) if t.tzinfo else t.replace(tzinfo=UTC)


def source(rng: random.Random, name: str, keys: list[Key], odd: bool, files: bool) -> Source:
    """A source without rows. odd: names with characters that need quotes."""
    pool = NAMES if odd else NAMES[:1]
    unique = iter(range(100))
    named = lambda: f"{rng.choice(pool)}_{next(unique)}"  # noqa: E731
    kinds = [k for k, v in KINDS.items() if not files or v[1]]
    features = []
    for _ in range(rng.randint(1, 4)):
        n = named()
        features.append(Column(n, n if rng.random() < 0.7 else "src " + n if odd else "src_" + n, rng.choice(kinds)))
    mapped = rng.random() < 0.3
    times = ["timestamptz", "timestamptz", "timestamp"] + ([] if files else ["date"])
    created = rng.choice(["", "created", "Created At" if odd else "created_at"])
    return Source(name, [(k, "src_" + k.name if mapped else k.name) for k in keys], features, rng.choice(["event_timestamp", "ts", "Time" if odd else "at_time"]), rng.choice(times), created, rng.choice(times[:3]))


def fill(rng: random.Random, s: Source, count: int, null_created: bool) -> None:
    for _ in range(count):
        row = {c: k.some(rng, 0.05) for k, c in s.keys}
        row[s.time] = moment(rng, s.time_kind)
        if s.created:
            row[s.created] = None if null_created and rng.random() < 0.3 else moment(rng, s.created_kind)
        for f in s.features:
            row[f.column] = None if rng.random() < 0.15 else rng.choice(KINDS[f.kind][3])
        s.rows.append(row)


def view(rng: random.Random, name: str, s: Source, path: str) -> View:
    """A view; path is the file's, or empty for a table."""
    mapping = {f.column: f.name for f in s.features if f.column != f.name} | {c: k.name for k, c in s.keys if c != k.name}
    common: dict[str, Any] = dict(name=s.name, timestamp_field=s.time, created_timestamp_column=s.created, field_mapping=mapping)
    quoted = '"' + s.name.replace('"', '""') + '"'
    if path:
        batch: Any = FileSource(path=path, **common)
    elif rng.random() < (0.85 if s.name.count("plain") == 0 else 0.5):  # Feast does not quote the names of tables
        batch = PostgreSQLSource(query=f"SELECT * FROM {quoted}", **common)
    else:
        batch = PostgreSQLSource(table=s.name, **common)
    ttl = rng.choice(TTLS)
    schema = [Field(name=k.name, dtype=KEYS[k.kind][3]) for k, _ in s.keys] + [Field(name=f.name, dtype=KINDS[f.kind][2]) for f in s.features]
    return View(s, FeatureView(name=name, entities=[k.entity for k, _ in s.keys], ttl=ttl, schema=schema, source=batch), ttl)


def world(seed: int, files: str) -> World:
    """files: the directory of the Parquet files; empty for tables in PostgreSQL."""
    rng = random.Random(f"training {seed} {bool(files)}")
    keys = []
    for name in ("k1", "k2"):
        kind = rng.choice([k for k in KEYS if not files or k != "varchar"])
        keys.append(Key(name, kind, Entity(name=f"entity_{name}", join_keys=[name], value_type=KEYS[kind][2])))
    odd = seed % 3 == 2
    views = []
    for n in range(rng.randint(2, 3)):
        name = f"w{seed}_{rng.choice(NAMES[:6] if odd and not files else NAMES[:1])}_{n}"
        s = source(rng, name, [keys[0]] if n == 0 else rng.choice([[keys[0]], [keys[0]], [keys[1]], keys, keys, []]), odd, bool(files))
        fill(rng, s, rng.choice([0, 30, 60, 60]) if n else 60, seed % 4 == 3)
        views.append(view(rng, f"view_{n}", s, f"{files}/{name}.parquet" if files else ""))
    objects: list[Any] = [k.entity for k in keys] + [v.view for v in views]
    services = {}
    for name in ("whole", "aliased"):
        projections, selected = [], []
        for v in rng.sample(views, rng.randint(1, len(views))):
            columns = v.source.features if rng.random() < 0.5 else rng.sample(v.source.features, rng.randint(1, len(v.source.features)))
            picked = v.view[[c.name for c in columns]]
            p = Projection(v, v.name, {}, columns)
            if name == "aliased":
                p.name = f"alias_{v.name}"
                picked = picked.with_name(p.name)
                if rng.random() < 0.6:
                    p.keys = {k.name: f"other_{k.name}" for k, _ in v.source.keys}
                    picked = picked.with_join_key_map(p.keys)
            projections.append(p)
            selected.append(picked)
        services[name] = projections
        objects.append(FeatureService(name=name, features=selected))
    return World(seed, bool(files), keys, views, services, objects)


@dataclass
class Request:
    """What is asked, and the views that answer it, in the order of the columns."""

    projections: list[Projection]
    features: list[str]
    service: str
    full: bool
    time: str = "event_timestamp"
    rows: list[dict[str, Any]] = field(default_factory=list)
    sql: bool = False
    csv: bool = False
    zone: str | None = "UTC"  # of the entity rows' times; None: they have none
    start: datetime | None = None
    end: datetime | None = None

    def columns(self) -> list[str]:
        return [f"{p.name}__{f.name}" if self.full else f.name for p in self.projections for f in p.features]


def request(rng: random.Random, w: World) -> Request:
    if rng.random() < 0.4:
        name = rng.choice(list(w.services))
        ask = Request(w.services[name], [], name, rng.random() < 0.7)
    else:
        projections = [Projection(v, v.name, {}, rng.sample(v.source.features, rng.randint(1, len(v.source.features)))) for v in rng.sample(w.views, rng.randint(1, len(w.views)))]
        ask = Request(projections, [f"{p.name}:{f.name}" for p in projections for f in p.features], "", rng.random() < 0.5)
    if len(set(ask.columns())) < len(ask.columns()):
        ask.full = True  # names would collide
    same = len({tuple(p.keys.get(k.name, k.name) for k, _ in p.view.source.keys) for p in ask.projections}) == 1
    if not w.files and same and rng.random() < 0.3:
        ask.start, ask.end = DAY + STEP * rng.randrange(4), DAY + STEP * rng.randrange(6, 13)
        return ask
    ask.sql = not w.files and rng.random() < 0.3
    ask.csv = not ask.sql and rng.random() < 0.15
    ask.zone = rng.choice(["UTC", "UTC", "Asia/Seoul", None])
    ask.time = "event_timestamp" if rng.random() < 0.8 else "label_time"
    ask.rows = entity_rows(rng, w, ask)
    return ask


def entity_rows(rng: random.Random, w: World, ask: Request) -> list[dict[str, Any]]:
    names = {p.keys.get(k.name, k.name): k for p in ask.projections for k, _ in p.view.source.keys}
    absent = 0.0 if w.files and rng.random() < 0.7 else 0.05
    rows = []
    for i in range(rng.choice([1, 40, 40, 40])):
        at = moment(rng, "timestamptz")
        if rng.random() < 0.3:  # at the edge of a ttl
            at += rng.choice(ask.projections).view.ttl % timedelta(days=30) + timedelta(microseconds=rng.choice([0, 0, 1, -1]))
        row = {"entity_row": i, ask.time: at, "note": rng.choice([None, "a", "ünï"]), "amount": rng.choice([0.5, -1.0])}
        row.update({n: k.some(rng, absent) for n, k in names.items()})
        if ask.csv:  # where an empty text is a null
            row.update({n: "1" for n in names if row[n] == ""})
        rows.append(row)
    return rows


def chosen(p: Projection, row: dict[str, Any], at: datetime, since: datetime | None = None) -> list[dict[str, Any]]:
    """The source's rows that a point-in-time join may choose: several if they tie. A range begins with since."""
    s = p.view.source
    found = []
    for r in s.rows:
        t = instant(r[s.time])
        if since and t < since:
            continue
        if all(r[c] is not None and r[c] == row[p.keys.get(k.name, k.name)] for k, c in s.keys) and t <= at and (not p.view.ttl or t >= at - p.view.ttl):
            c = instant(r[s.created]) if s.created else None
            found.append(((t, c is not None, c or DAY), r))
    newest = max((key for key, _ in found), default=None)
    return [r for key, r in found if key == newest]
