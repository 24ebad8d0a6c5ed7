"""Random Feast repositories: a seed gives the same objects, rows and responses every time.

Feast itself applies and writes them, so that registry and tables are Feast's bytes. Values are
made as messages, since a DataFrame cannot hold all that a table can.
"""

from __future__ import annotations

import random
import warnings
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource, RequestSource, StreamFeatureView, ValueType
from feast import types as ft
from feast.data_source import KafkaSource
from feast.data_format import AvroFormat
from feast.feature_view import FeatureViewState
from feast.on_demand_feature_view import on_demand_feature_view
from feast.protos.feast.types import Value_pb2 as pb
from feast.protos.feast.types.EntityKey_pb2 import EntityKey

Value = pb.Value
# Whether the installed Feast has references in services and reads the versions that services name.
REFERENCES = [int(n) for n in version("feast").split(".")[:2]] >= [0, 67]
TEXTS = ["", "a", "ünï_çødé", "日本語", "😀", 'a "quoted\\ text', "line\nbreak\ttab\r\b\f", "\u2028\x7f", "</script>&'", "0", "null", "x" * 300, "nul\x00nul", "{}", " blank "]
INT64 = [0, 1, -1, 7, 2**31, -(2**31) - 1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 9007199254740993, 123456789012345678]
INT32 = [0, 1, -1, 2**31 - 1, -(2**31), 65536]
DOUBLES = [0.0, -0.0, 0.1, 1.0, 1e15, 1e16, 123456789012345680.0, 1e-4, 9.999e-5, 1e22, 5e-324, 1.7976931348623157e308, -2.5, 1 / 3]
FLOATS = [0.0, -0.0, 0.1, 1.0, 3.4028234663852886e38, 1e-45, 16777217.0, -2.5]
ODD = [float("nan"), float("inf"), float("-inf")]
BYTES = [b"", b"\x00", b"\xff\xfe\xfd", b"text", bytes(range(64))]
SECONDS = [0, 1704067200, -1, -62135596800, 253402300799, 2**40, -(2**63), 2**63 - 1]
UUIDS = ["00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "F47AC10B-58CC-4372-A567-0E02B2C3D479"]
DECIMALS = ["0", "-0.10", "1E+3", "12345678901234567890.123456789", "NaN"]
JSONS = ["{}", "[1, 2.0, null]", '{"a": {"b": "ü"}}', '"text"', "null", "no json"]
ZONED = [(1704067200, "Asia/Seoul"), (1720000000, "America/New_York"), (0, "UTC"), (0, ""), (-1, "+05:30"), (1704067200, "UTC+05:30"), (1704067200, "-03:00"), (-(2**63), "UTC"), (1704067200, "Europe/London"), (-3000000000, "Asia/Tokyo")]
DAY = datetime(2024, 3, 1, tzinfo=timezone.utc)
TIMES = [DAY, DAY + timedelta(microseconds=120000), DAY + timedelta(microseconds=123456), datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc), datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=9)))]


def some(rng: random.Random, pool: list, most: int = 4) -> list:
    return [rng.choice(pool) for _ in range(rng.randint(0, most))]


def nested(rng: random.Random, depth: int = 0) -> Value:
    """Any value, within lists and maps."""
    kinds: list[Callable[[], Value]] = [
        lambda: Value(), lambda: Value(null_val=0), lambda: Value(int64_val=rng.choice(INT64)), lambda: Value(string_val=rng.choice(TEXTS)), lambda: Value(double_val=rng.choice(DOUBLES)),
        lambda: Value(bool_val=rng.random() < 0.5), lambda: Value(bytes_val=rng.choice(BYTES)), lambda: Value(float_list_val=pb.FloatList(val=some(rng, FLOATS)))]
    if depth < 3:
        kinds += [lambda: Value(map_val=mapping(rng, depth + 1)), lambda: Value(list_val=pb.RepeatedValue(val=[nested(rng, depth + 1) for _ in range(rng.randint(0, 3))]))]
    return rng.choice(kinds)()


def mapping(rng: random.Random, depth: int = 0) -> pb.Map:
    return pb.Map(val={k: nested(rng, depth) for k in some(rng, TEXTS)})


def scalar(name: str, pool: list) -> Callable[[random.Random], Value]:
    return lambda rng: Value(**{name: rng.choice(pool)})


def many(name: str, kind: type, pool: list) -> Callable[[random.Random], Value]:
    return lambda rng: Value(**{name: kind(val=some(rng, pool))})


BOOLS = [True, False]
KINDS: dict[str, tuple[Any, Callable[[random.Random], Value]]] = {
    "bytes": (ft.Bytes, scalar("bytes_val", BYTES)), "string": (ft.String, scalar("string_val", TEXTS)), "int32": (ft.Int32, scalar("int32_val", INT32)),
    "int64": (ft.Int64, scalar("int64_val", INT64)), "double": (ft.Float64, scalar("double_val", DOUBLES)), "float": (ft.Float32, scalar("float_val", FLOATS)),
    "bool": (ft.Bool, scalar("bool_val", BOOLS)), "time": (ft.UnixTimestamp, scalar("unix_timestamp_val", SECONDS)), "pdf": (ft.PdfBytes, scalar("bytes_val", BYTES)),
    "image": (ft.ImageBytes, scalar("bytes_val", BYTES)), "map": (ft.Map, lambda rng: Value(map_val=mapping(rng))), "json": (ft.Json, scalar("json_val", JSONS)),
    "uuid": (ft.Uuid, scalar("uuid_val", UUIDS)), "time_uuid": (ft.TimeUuid, scalar("time_uuid_val", UUIDS)), "decimal": (ft.Decimal, scalar("decimal_val", DECIMALS)),
    "scalar_map": (ft.ScalarMap, lambda rng: Value(scalar_map_val=pb.ScalarMap(val=[pb.ScalarMapEntry(key=pb.MapKey(int64_key=n), value=Value(int64_val=n)) for n in some(rng, INT64)]))),
    "zoned": (ft.ZonedTimestamp, lambda rng: Value(zoned_timestamp_val=pb.ZonedTimestamp(**dict(zip(("unix_timestamp", "zone"), rng.choice(ZONED)))))),
    "struct": (ft.Struct({"a": ft.String, "b": ft.Int64}), lambda rng: Value(struct_val=mapping(rng))),
    "structs": (ft.Array(ft.Struct({"a": ft.String})), lambda rng: Value(struct_list_val=pb.MapList(val=[mapping(rng) for _ in range(rng.randint(0, 3))]))),
    "maps": (ft.Array(ft.Map), lambda rng: Value(map_list_val=pb.MapList(val=[mapping(rng) for _ in range(rng.randint(0, 3))]))),
    "nested_list": (ft.Array(ft.Array(ft.Int64)), lambda rng: Value(list_val=pb.RepeatedValue(val=[Value(int64_list_val=pb.Int64List(val=some(rng, INT64))) for _ in range(rng.randint(0, 3))]))),
    "nested_set": (ft.Set(ft.Array(ft.String)), lambda rng: Value(set_val=pb.RepeatedValue(val=[nested(rng) for _ in range(rng.randint(0, 3))]))),
}
for _name, _type, _list, _set, _pool in [
    ("bytes", ft.Bytes, pb.BytesList, pb.BytesSet, BYTES), ("string", ft.String, pb.StringList, pb.StringSet, TEXTS), ("int32", ft.Int32, pb.Int32List, pb.Int32Set, INT32),
    ("int64", ft.Int64, pb.Int64List, pb.Int64Set, INT64), ("double", ft.Float64, pb.DoubleList, pb.DoubleSet, DOUBLES), ("float", ft.Float32, pb.FloatList, pb.FloatSet, FLOATS),
    ("bool", ft.Bool, pb.BoolList, pb.BoolSet, BOOLS), ("unix_timestamp", ft.UnixTimestamp, pb.Int64List, pb.Int64Set, SECONDS), ("uuid", ft.Uuid, pb.StringList, pb.StringSet, UUIDS),
    ("time_uuid", ft.TimeUuid, pb.StringList, pb.StringSet, UUIDS), ("decimal", ft.Decimal, pb.StringList, pb.StringSet, DECIMALS),
]:
    KINDS[_name + "_list"] = (ft.Array(_type), many(_name + "_list_val", _list, _pool))
    KINDS[_name + "_set"] = (ft.Set(_type), many(_name + "_set_val", _set, _pool))
KINDS["vector"] = (ft.Array(ft.Float32), lambda rng: Value(float_list_val=pb.FloatList(val=[rng.choice(FLOATS), rng.choice(FLOATS)])))
KINDS["json_list"] = (ft.Array(ft.Json), many("json_list_val", pb.StringList, JSONS))


@dataclass
class Key:
    """An entity: its join key, and values of it. Values that cannot be a key occur only in requests."""

    entity: Entity
    name: str
    dtype: Any
    value: str  # the field of Value
    pool: list
    unknown: list
    stored: bool = True


@dataclass
class View:
    name: str
    object: Any
    keys: list[Key]
    features: list[str]
    rows: list[tuple] = field(default_factory=list)  # the keys that were written
    patched: bool = False  # rows whose features were written at different times


@dataclass
class Service:
    name: str
    # For each projection: the name in the response, the view, the features, join keys as the caller names them.
    projections: list[tuple[str, View, list[str], dict[str, str]]]


@dataclass
class Repo:
    path: Path
    project: str
    store: FeatureStore
    keys: list[Key]
    views: list[View]
    services: list[Service]
    versioned: bool


KEYS = [  # (what, type of the entity, type of the field, field of Value, values, values never stored, can be a key)
    ("text", ValueType.STRING, ft.String, "string_val", ["a", "b", "", "ünï", "1", "76104", "True", "1.5", "a b", "😀"], ["nobody", "A"], True),
    ("num", ValueType.INT64, ft.Int64, "int64_val", [0, 1, -1, 1001, 76104, 2**53 + 1, 2**63 - 1, -(2**63)], [42, 9007199254740992], True),
    ("small", ValueType.INT32, ft.Int32, "int32_val", [0, 1, -1, 1001, 2**31 - 1, -(2**31)], [42], True),
    ("moment", ValueType.UNIX_TIMESTAMP, ft.UnixTimestamp, "unix_timestamp_val", [0, 1, -1, 1704067200, 2**40], [42], True),
    ("raw", ValueType.BYTES, ft.Bytes, "bytes_val", [b"", b"a", b"\xff\x00"], [b"zz"], True),
    ("ratio", ValueType.DOUBLE, ft.Float64, "double_val", [0.5, 1.0], [2.5], False),
    ("flag", ValueType.BOOL, ft.Bool, "bool_val", [True], [False], False),
    ("guid", ValueType.UUID, ft.Uuid, "uuid_val", UUIDS[:2], UUIDS[2:], False),
]


def make_keys(rng: random.Random, tag: str) -> list[Key]:
    keys = []
    for what, entity_type, dtype, value, pool, unknown, stored in KEYS:
        join_key = what if rng.random() < 0.3 else what + "_id"
        keys.append(Key(Entity(name=what, join_keys=[join_key], value_type=entity_type), join_key, dtype, value, pool, unknown, stored))
    twin = f"other_num{tag}"
    keys.append(Key(Entity(name=twin, join_keys=[twin + "_id"], value_type=ValueType.INT64), twin + "_id", ft.Int64, "int64_val", [1, 2, 3, 1001], [99], True))
    return keys


def file_source(path: Path, name: str, **kw: Any) -> FileSource:
    return FileSource(name=name + "_source", path=str(path / f"{name}.parquet"), timestamp_field="event_timestamp", **kw)


def schema(rng: random.Random, keys: list[Key], kinds: dict[str, str]) -> list[Field]:
    fields = [Field(name=k.name, dtype=k.dtype) for k in keys]
    index = {"vector_index": True, "vector_length": 2, "vector_search_metric": "cosine"}
    return fields + [Field(name=f, dtype=KINDS[kind][0], **(index if kind == "vector" else {})) for f, kind in kinds.items()]


# The on-demand views that are computed: their features, whether they read the view "framed", and their request data.
COMPUTED = {"computed": (["scaled"], True, "factor"), "framed_ratio": (["ratio", "label", "unknown"], True, "factor"), "spoken_word": (["shout", "length"], False, "word")}
REQUEST = {"factor": ("double_val", [1.5, -2.0, 0.25, 1e300]), "word": ("string_val", ["hi", "Łódź é", "", "日本語"])}
# The services with a computed view: the projections in order, each with its name.
COMPUTED_SERVICES = {"computed_service": [("framed", None), ("computed", ["scaled"])], "ratio_service": [("r", ["label", "ratio"])]}

NAMES = ["f", "amount", "city", "score", "Total", "a__b", "f1", "f2", "f3", "f4", "f5", "f6"]


class Builder:
    """Makes the objects of one project."""

    def __init__(self, seed: str, path: Path, project: str, versioned: bool):
        self.rng, self.path, self.project, self.versioned = random.Random(seed), path, project, versioned
        self.keys = make_keys(self.rng, "" if len(project) % 2 else "2")
        self.kinds: dict[str, dict[str, str]] = {}
        self.left: list[str] = []  # value types that no view has yet
        self.views: list[View] = []

    def fresh_kinds(self, n: int) -> dict[str, str]:
        out = {}
        for name in self.rng.sample(NAMES, n):
            if not self.left:
                self.left = self.rng.sample([k for k in KINDS if k != "vector"], len(KINDS) - 1)
            out[name] = self.left.pop()
        return out

    def add(self, name: str, keys: list[Key], kind: Any = FeatureView, source: Any = None, kinds: dict[str, str] | None = None, **kw: Any) -> View:
        kinds = kinds or self.fresh_kinds(self.rng.randint(3, 7))
        self.kinds[name] = kinds
        ttl = self.rng.choice([timedelta(0), timedelta(seconds=1), timedelta(days=36500)])
        view = kind(name=name, entities=[k.entity for k in keys], schema=schema(self.rng, keys, kinds), source=source or file_source(self.path, name), ttl=ttl, **kw)
        self.views.append(View(name, view, keys, list(kinds)))
        return self.views[-1]

    def stored_keys(self, most: int = 3) -> list[Key]:
        pool = [k for k in self.keys if k.stored and (k.value != "bytes_val" or self.rng.random() < 0.15)]
        return self.rng.sample(pool, self.rng.randint(1, most))

    def build(self) -> list[Any]:
        """All objects to apply."""
        for i in range(self.rng.randint(5, 6)):
            self.add(f"view_{i}", self.stored_keys())
        self.add("Mixed-Case.name", self.stored_keys(1))
        self.add("overall", [])
        self.add("odd", self.stored_keys(1), kinds={"f": "double", "score": "double_list", "city": "string", "f1": "float"})
        self.add("empty", self.stored_keys(2))
        self.add("disabled", self.stored_keys(1), enabled=False)
        self.add("offline_only", self.stored_keys(1), online=False)
        self.add("no_key", [self.rng.choice([k for k in self.keys if not k.stored])])
        if REFERENCES:
            self.add("pinned", self.stored_keys(2), version="v2")
            self.add("vectors", self.stored_keys(1), kinds={"near": "vector", "amount": "int64"})
        pushed = PushSource(name="push", batch_source=file_source(self.path, "pushed"))
        self.add("pushed", self.stored_keys(2), source=pushed)
        topic = KafkaSource(name="kafka", kafka_bootstrap_servers="127.0.0.1:1", topic="t", timestamp_field="event_timestamp", message_format=AvroFormat("{}"), batch_source=file_source(self.path, "streamed"))
        self.add("streamed", self.stored_keys(2), kind=StreamFeatureView, source=topic)
        framed = self.add("framed", [self.keys[1]], kinds={"amount": "int64", "city": "string", "score": "double", "f1": "float_list", "f2": "bool", "f3": "time"},
                          source=file_source(self.path, "framed", field_mapping={"betrag": "amount", "konto": self.keys[1].name}))
        on_demand = self.on_demand(framed)
        self.services = [self.service(f"service_{i}") for i in range(4)] + [self.twice()]
        objects = [k.entity for k in self.keys] + [v.object for v in self.views] + on_demand
        computed = [FeatureService(name="computed_service", features=[framed.object, on_demand[0]])]
        if REFERENCES:
            computed.append(FeatureService(name="ratio_service", features=[on_demand[1][["label", "ratio"]].with_name("r")]))
        return objects + [self.feast_service(s) for s in self.services] + computed

    def on_demand(self, source: View) -> list[Any]:
        request = RequestSource(name="request", schema=[Field(name="factor", dtype=ft.Float64)])
        spoken = RequestSource(name="spoken", schema=[Field(name="word", dtype=ft.String)])

        @on_demand_feature_view(sources=[source.object, request], schema=[Field(name="scaled", dtype=ft.Float64)], mode="python")
        def computed(inputs):
            return {"scaled": [(s or 0.0) * f for s, f in zip(inputs["score"], inputs["factor"])]}

        @on_demand_feature_view(sources=[source.object, request], schema=[Field(name="ratio", dtype=ft.Float64), Field(name="label", dtype=ft.String), Field(name="unknown", dtype=ft.Bool)], mode="pandas")
        def framed_ratio(inputs: pd.DataFrame) -> pd.DataFrame:
            out = pd.DataFrame()
            out["ratio"] = inputs["score"].astype("float64") / inputs["factor"]
            out["label"] = inputs["city"].fillna("nowhere").astype(str).str.upper() + "!"
            out["unknown"] = inputs["amount"].isna()
            return out

        @on_demand_feature_view(sources=[spoken], schema=[Field(name="shout", dtype=ft.String), Field(name="length", dtype=ft.Int64)], mode="pandas")
        def spoken_word(inputs: pd.DataFrame) -> pd.DataFrame:
            out = pd.DataFrame()
            out["shout"] = inputs["word"].str.upper()
            out["length"] = inputs["word"].str.len()
            return out

        @on_demand_feature_view(sources=[source.object], entities=[source.keys[0].entity], schema=[Field(name="kept", dtype=ft.Int64), Field(name="word", dtype=ft.String)], mode="python", write_to_online_store=True)
        def written(inputs):
            return {"kept": inputs["amount"], "word": inputs["city"]}

        self.kinds["written"] = {"kept": "int64", "word": "string"}
        self.views.append(View("written", written, source.keys, ["kept", "word"]))
        return [computed, framed_ratio, spoken_word]

    def service(self, name: str) -> Service:
        pool = [v for v in self.views if v.name not in ("disabled", "no_key", "written") or self.rng.random() < 0.1]
        projections = []
        for v in self.rng.sample(pool, self.rng.randint(1, 3)):
            features = v.features if self.rng.random() < 0.3 else self.rng.sample(v.features, self.rng.randint(1, len(v.features)))
            alias = self.rng.choice([v.name, v.name, v.name + "_alias", "other name"]) if v.name != "written" and all(not p[0].startswith("other name") for p in projections) else v.name
            mapped = {k.name: self.rng.choice(["caller_", "b_"]) + k.name for k in v.keys if self.rng.random() < 0.4} if isinstance(v.object, FeatureView) else {}
            projections.append((alias + "@v2" if v.name == "pinned" else alias, v, features, mapped))
        return Service(name, projections)

    def twice(self) -> Service:
        """One view that is read for two entities of a row."""
        v = next(v for v in self.views if len(v.keys) == 1 and v.name.startswith(("view", "Mixed", "framed")))
        k = v.keys[0].name
        return Service("twice", [("first", v, v.features[:2], {k: "first_" + k}), ("second", v, v.features[:2], {k: "second_" + k})])

    def feast_service(self, s: Service) -> FeatureService:
        parts = []
        for alias, v, features, mapped in s.projections:
            part, alias = v.object[features], alias.partition("@")[0]
            if alias != v.name:
                part = part.with_name(alias)
            parts.append(part.with_join_key_map(mapped) if mapped else part)
        return FeatureService(name=s.name, features=parts)

    def write(self, store: FeatureStore) -> None:
        for v in self.views:
            if v.name in ("empty", "offline_only", "no_key"):
                continue
            if v.name == "framed":
                self.write_frame(store, v)
                continue
            self.write_rows(store, v)

    def write_rows(self, store: FeatureStore, v: View) -> None:
        rng, view = self.rng, store.registry.get_any_feature_view(v.name, self.project)
        v.rows = v.rows or list(dict.fromkeys(tuple(rng.choice(k.pool) for k in v.keys) for _ in range(8)))
        data = []
        for row in v.rows:
            key = EntityKey(join_keys=[k.name for k in v.keys] or ["__dummy_id"], entity_values=[Value(**{k.value: x}) for k, x in zip(v.keys, row)] or [Value(string_val="")])
            values = {f: self.cell(v.name, f) for f in v.features if rng.random() < 0.9}
            data.append((key, values, rng.choice(TIMES), rng.choice([None, DAY])))
        data = [d for d in data if d[1]]
        store._get_provider().online_write_batch(store.config, view, data, None)
        patched = rng.random() < 0.3
        v.patched = v.patched or patched
        if patched:  # one feature again, later
            store._get_provider().online_write_batch(store.config, view, [(k, dict(list(x.items())[:1]), DAY + timedelta(hours=1), None) for k, x, _, _ in data[:3]], None)

    def cell(self, view: str, feature: str) -> Value:
        rng, kind = self.rng, self.kinds[view][feature]
        chance = rng.random()
        if view == "odd" and kind != "string":
            return {"double": Value(double_val=rng.choice(ODD)), "float": Value(float_val=rng.choice(ODD)), "double_list": Value(double_list_val=pb.DoubleList(val=[1.0, rng.choice(ODD)]))}[kind]
        if chance < 0.1:
            return rng.choice([Value(), Value(), Value(null_val=0)])
        if chance < 0.13:  # a value of another type than the view says
            return nested(rng)
        return KINDS[kind][1](rng)

    def write_frame(self, store: FeatureStore, v: View) -> None:
        """Rows that are written through a DataFrame, as by a push."""
        ids = [1, 1001, 76104, -1]
        v.rows = [(n,) for n in ids]
        frame = pd.DataFrame({v.keys[0].name: ids, "amount": [1, 2, 2**53 + 1, -5], "city": ["a", None, "", "ü"], "score": [0.1, None, 1e16, -2.5], "f1": [[1.0], [], None, [0.1, 2.0]],
                              "f2": [True, False, True, False], "f3": pd.to_datetime(["2024-01-01", None, "1969-12-31", "2024-06-01"], utc=True), "event_timestamp": [DAY] * 4})
        store.write_to_online_store(v.name, frame)


# The order of a view's states; it serves in some of them only.
STATES = [FeatureViewState.CREATED, FeatureViewState.GENERATED, FeatureViewState.MATERIALIZING, FeatureViewState.AVAILABLE_ONLINE]


def settings(project: str, online: str, versioned: bool, key_version: int, feast_status: bool) -> str:
    return f"""project: {project}
provider: local
registry:
  path: ../registry.db
  cache_ttl_seconds: 600
  enable_online_feature_view_versioning: {str(versioned).lower()}
online_store:
{online}
offline_store:
  type: file
entity_key_serialization_version: {key_version}
""" + ("banquet:\n  http:\n    status: feast\n" if feast_status else "")


def build(seed: int, at: Path, online: str, versioned: bool, key_version: int, feast_status: bool) -> list[Repo]:
    """The two projects of a seed, which share a registry and a store."""
    warnings.simplefilter("ignore")
    repos = []
    for project in ("main", "second"):
        path = at / project
        path.mkdir(parents=True)
        (path / "feature_store.yaml").write_text(settings(project, online, versioned, key_version, feast_status))
        store = FeatureStore(repo_path=str(path))
        b = Builder(f"{seed}/{project}", path, project, versioned)
        store.apply(b.build())
        b.write(store)
        old = next(v for v in b.views if v.name == "view_0")
        if versioned:
            b.views += renew(b, store)
        if REFERENCES:
            b.services += by_reference(b, store, old)
            measured_otherwise(b, store)
        for state in STATES[: b.rng.randint(0, 4)] if project == "main" else []:
            store.set_feature_view_state("view_1", state)
        repos.append(Repo(path, project, store, b.keys, b.views, b.services, versioned))
    return repos


def renew(b: Builder, store: FeatureStore) -> list[View]:
    """A second version of a view: the first one can still be requested by number."""
    old = next(v for v in b.views if v.name == "view_0")
    kinds = dict(b.kinds["view_0"])
    if b.project == "main":
        kinds.pop(old.features[-1])  # services that contain it cannot be read any more
    kinds["late"] = "int64"
    b.kinds["view_0"] = kinds
    new = FeatureView(name="view_0", entities=[k.entity for k in old.keys], schema=schema(b.rng, old.keys, kinds), source=old.object.batch_source, ttl=old.object.ttl)
    store.apply([new])
    current = View("view_0", new, old.keys, list(kinds), old.rows[:-1])
    b.write_rows(store, current)
    b.views.remove(old)
    return [current]


def by_reference(b: Builder, store: FeatureStore, old: View) -> list[Service]:
    """Services whose features are given as text; the versions that some name are read only where versions are on."""
    current = {v.name: v for v in b.views}
    new = current["view_0"]
    services = []
    for name, parts in (
        ("parts", [("view_0", new, new.features[:1]), ("view_1", current["view_1"], None), ("view_0", new, new.features[1:2])]),
        ("first", [("view_0@v0", old, None)]),
        ("versions", [("view_0@v0", old, old.features[-1:]), ("pinned@v2", current["pinned"], None)] + ([("view_0@v1", new, ["late"])] if b.versioned else [])),
        ("mixed", [("vectors", current["vectors"], ["near"]), ("view_0@v0", old, old.features[:2]), ("view_2", current["view_2"], current["view_2"].features[:1])]),
    ):
        texts = [t for view, _, features in parts for t in ([f"{view}:{f}" for f in features] if features is not None else [view])]
        store.apply([FeatureService(name="text_" + name, features=texts)])
        services.append(Service("text_" + name, [(view, v, features or v.features, {}) for view, v, features in parts]))
    return services


def measured_otherwise(b: Builder, store: FeatureStore) -> None:
    """Another metric of a vector: services that were applied before it cannot be read any more."""
    if b.project == "second":
        return
    v = next(v for v in b.views if v.name == "vectors")
    fields = [Field(name=f.name, dtype=f.dtype, vector_index=f.vector_index, vector_length=f.vector_length, vector_search_metric="L2" if f.vector_index else None) for f in v.object.schema]
    store.apply([FeatureView(name=v.name, entities=[k.entity for k in v.keys], schema=fields, source=v.object.batch_source, ttl=v.object.ttl)])
    v.patched = True  # a row that is written again may lack a feature, whose old cell stays
    b.write_rows(store, v)
