"""Records which value types Feast gives the columns of Parquet files and the
types of PostgreSQL.

Usage: python record.py, with a Python that has Feast. It writes parquet/*.parquet,
one file for each way of writing, parquet.json and postgres.json beside itself. A
type that Feast ends with an error at is null.
"""

import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "conformance"))

import inference_data  # noqa: E402
import pyarrow as pa  # noqa: E402
from feast import FileSource  # noqa: E402
from feast.repo_config import RepoConfig  # noqa: E402
from feast.type_map import pg_type_code_to_pg_type, pg_type_to_feast_value_type  # noqa: E402
from feast.types import from_value_type  # noqa: E402

WAYS = {"new": {}, "old": {"use_compliant_nested_type": False}, "bare": {"store_schema": False}}


def value_type(source, kind):
    try:
        return from_value_type(source.source_datatype_to_feast_value_type()(kind)).to_value_type().name
    except (KeyError, ValueError):
        return None


def main():
    config = RepoConfig(project="p", provider="local", registry="r.db", entity_key_serialization_version=3)
    columns = {**{n: t for f in ("scalars", "lists") for n, t in ((f"{f}_{n}", t) for n, t in inference_data.FILES[f].items())},
               **inference_data.SINGLE, "list_of_date": pa.list_(pa.date32()), "list_of_list": pa.list_(pa.list_(pa.int64())),
               "list_of_uint32": pa.list_(pa.uint32()), "list_of_int16": pa.list_(pa.int16()), "fixed_uint8": pa.list_(pa.uint8(), 2), "fixed_nested": pa.list_(pa.list_(pa.int64()), 2)}
    (HERE / "parquet").mkdir(exist_ok=True)
    found = {}
    for way, how in WAYS.items():
        path = HERE / "parquet" / f"{way}.parquet"
        inference_data.write(path, columns, **how)
        source = FileSource(path=str(path), timestamp_field="ts")
        found[way] = {name: value_type(source, kind) for name, kind in source.get_table_column_names_and_types(config)}
    (HERE / "parquet.json").write_text(json.dumps(found, indent=1) + "\n")
    types = {}
    for oid in range(10000):
        name = pg_type_code_to_pg_type(oid)
        if name != "unknown":
            types[oid] = pg_type_to_feast_value_type(name).name
    (HERE / "postgres.json").write_text(json.dumps(types, indent=1) + "\n")


if __name__ == "__main__":
    main()
