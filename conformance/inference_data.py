"""The columns on which inference is tested: Parquet files and PostgreSQL tables."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

UTC = pa.timestamp("us", tz="UTC")
# Each file: its columns and their types. Feast looks only at the schema.
FILES = {
    "plain": {"driver_id": pa.int64(), "event_timestamp": UTC, "created": UTC, "rate": pa.float32(), "trips": pa.int64(), "city": pa.string()},
    "one_time": {"driver_id": pa.int64(), "ts": UTC, "rate": pa.float64(), "trips": pa.int32()},
    "naive_time": {"driver_id": pa.int64(), "ts": pa.timestamp("ns"), "rate": pa.float64()},
    "no_time": {"driver_id": pa.int64(), "rate": pa.float64()},
    "date_only": {"driver_id": pa.int64(), "day": pa.date32(), "rate": pa.float64()},
    "time_and_date": {"driver_id": pa.int64(), "ts": UTC, "day": pa.date32(), "rate": pa.float64()},
    "time_and_list": {"driver_id": pa.int64(), "ts": UTC, "times": pa.list_(UTC), "rate": pa.float64()},
    "underscores": {"driver_id": pa.int64(), "ts": UTC, "__hidden": pa.int64(), "trailing__": pa.int64(), "mid__dle": pa.int64()},
    "only_keys": {"driver_id": pa.int64(), "ts": UTC},
    "text_key": {"driver_id": pa.string(), "ts": UTC, "rate": pa.float64()},
    "two_keys": {"driver_id": pa.int64(), "customer_id": pa.string(), "ts": UTC, "rate": pa.float64()},
    "no_key": {"ts": UTC, "rate": pa.float64()},
    "scalars": {"driver_id": pa.int64(), "ts": UTC, "i32": pa.int32(), "i64": pa.int64(), "f32": pa.float32(), "f64": pa.float64(), "s": pa.string(), "b": pa.binary(), "flag": pa.bool_(), "at": pa.timestamp("ms")},
    "lists": {"driver_id": pa.int64(), "ts": UTC, "i32": pa.list_(pa.int32()), "i64": pa.list_(pa.int64()), "f32": pa.list_(pa.float32()), "f64": pa.list_(pa.float64()), "s": pa.list_(pa.string()),
              "b": pa.list_(pa.binary()), "flag": pa.list_(pa.bool_()), "at": pa.list_(UTC), "nested": pa.list_(pa.list_(pa.int64()))},
}
# One file for each type, with a key and a time: Feast accepts some types and raises a KeyError for others.
SINGLE = {
    "int8": pa.int8(), "int16": pa.int16(), "uint8": pa.uint8(), "uint16": pa.uint16(), "uint32": pa.uint32(), "uint64": pa.uint64(), "float16": pa.float16(),
    "decimal": pa.decimal128(10, 2), "date32": pa.date32(), "date64": pa.date64(), "time32": pa.time32("ms"), "time64": pa.time64("us"), "duration": pa.duration("us"),
    "large_string": pa.large_string(), "large_binary": pa.large_binary(), "fixed": pa.binary(4), "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "map": pa.map_(pa.string(), pa.int64()), "map_list": pa.list_(pa.map_(pa.string(), pa.string())), "struct": pa.struct([("a", pa.int64()), ("b", pa.string())]),
    "struct_list": pa.list_(pa.struct([("a", pa.int64())])), "large_list": pa.large_list(pa.int64()), "fixed_list": pa.list_(pa.float32(), 3), "large_string_list": pa.list_(pa.large_string()),
    "element_int64": pa.list_(pa.field("element", pa.int64())), "element_string": pa.list_(pa.field("element", pa.string())), "element_double": pa.list_(pa.field("element", pa.float64())),
    "element_float": pa.list_(pa.field("element", pa.float32())), "element_bool": pa.list_(pa.field("element", pa.bool_())), "element_int32": pa.list_(pa.field("element", pa.int32())),
    "null": pa.null(), "not_null_item": pa.list_(pa.field("item", pa.int64(), nullable=False)), "list_of_map_list": pa.list_(pa.list_(pa.map_(pa.string(), pa.int64()))),
    "null_list": pa.list_(pa.null()), "struct_of_list": pa.struct([("a", pa.list_(pa.float64()))]),
}
# Lists whose elements are called item, as in files of older writers.
OLD = {"item_" + name: kind for name, kind in {**SINGLE, **{n: pa.list_(t) for n, t in FILES["scalars"].items()}, "list": pa.list_(pa.list_(pa.int64())), "list_date": pa.list_(pa.date32()),
                                                      "list_uint32": pa.list_(pa.uint32()), "list_int16": pa.list_(pa.int16()), "fixed_uint8": pa.list_(pa.uint8(), 2), "fixed_nested": pa.list_(pa.list_(pa.int64()), 2),
                                                      "list_fixed": pa.list_(pa.list_(pa.int64(), 2)), "fixed_text": pa.list_(pa.string(), 2)}.items() if str(kind).startswith(("list", "fixed_size_list"))}
# Those that Feast 0.66 did not know.
SINCE_067 = {"int8", "int16", "uint8", "uint16", "uint32", "uint64", "item_fixed_list", "item_list_uint32", "item_list_int16", "item_fixed_uint8", "item_fixed_nested", "item_fixed_text"}


def files(at: Path) -> None:
    at.mkdir(parents=True)
    for name, columns in FILES.items():
        write(at / f"{name}.parquet", columns)
    for part in ("parts/a", "parts/b", "hive/day=1/a", "hive/day=2/b"):
        (at / part).parent.mkdir(parents=True, exist_ok=True)
        write(at / f"{part}.parquet", FILES["one_time"])
    (at / "ragged").mkdir()
    write(at / "ragged/a.parquet", FILES["one_time"])
    write(at / "ragged/b.parquet", {**FILES["one_time"], "late": pa.int64()})
    for name, kind in OLD.items():
        write(at / f"type_{name}.parquet", {"driver_id": pa.int64(), "ts": UTC, "v": kind}, use_compliant_nested_type=False)
    for name, kind in SINGLE.items():
        write(at / f"type_bare_{name}.parquet", {"driver_id": pa.int64(), "ts": UTC, "v": kind}, store_schema=False)
        write(at / f"type_{name}.parquet", {"driver_id": pa.int64(), "ts": UTC, "v": kind})


def write(path: Path, columns: dict[str, pa.DataType], **how) -> None:
    schema = pa.schema([pa.field(n, t) for n, t in columns.items()])
    pq.write_table(schema.empty_table(), path, **how)


TABLES = """
CREATE TABLE plain (driver_id bigint, event_timestamp timestamptz, created timestamptz, rate real, trips integer, city text);
CREATE TABLE no_key (ts timestamp, rate double precision);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE every (
    driver_id bigint, ts timestamptz, bool_c boolean, bytea_c bytea, int2_c smallint, int4_c integer, int8_c bigint, real_c real, double_c double precision, numeric_c numeric(10, 2),
    text_c text, varchar_c varchar(10), char_c char(4), date_c date, time_c time, timestamp_c timestamp, uuid_c uuid, json_c json, jsonb_c jsonb,
    bool_l boolean[], bytea_l bytea[], int2_l smallint[], int4_l integer[], int8_l bigint[], real_l real[], double_l double precision[], numeric_l numeric[], text_l text[], char_l char(4)[],
    date_l date[], time_l time[], timestamp_l timestamp[], timestamptz_l timestamptz[], uuid_l uuid[], json_l json[], jsonb_l jsonb[]
);
"""
# Types that are missing in Feast's map.
UNKNOWN = {"varchar_list": "varchar[]", "name": "name", "timetz": "timetz", "interval": "interval", "money": "money", "inet": "inet", "mood": "mood", "oid": "oid", "char1": '"char"', "point": "point", "xml": "xml"}


def tables(port: int) -> None:
    with psycopg.connect(f"host=localhost port={port} user=feast password=password dbname=postgres", autocommit=True) as c:
        c.execute(TABLES)
        for name, kind in UNKNOWN.items():
            c.execute(f"CREATE TABLE unknown_{name} (driver_id bigint, ts timestamptz, v {kind})")
