"""Writes parquet/kinds.parquet: a column for every type of Arrow that Parquet can
hold, each with a null, as pyarrow writes it. Column at is the event time.

Usage: python kinds.py, with a Python that has pyarrow.
"""

import pathlib
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
INT, TEXT = pa.int64(), pa.string()
ID = b"0123456789abcdef"
SECONDS = [1, None, 1704362645]
MONEY = [Decimal("1.50"), None, Decimal("-2.25")]
WORDS = ["a", None, "c"]


def scalars():
    columns = {"null": pa.nulls(3), "bool": pa.array([True, None, False])}
    for t in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        columns[t] = pa.array([1, None, 3], t)
    columns["uint64_high"] = pa.array([0, None, 2**64 - 1], "uint64")
    for t in (pa.float16(), pa.float32(), pa.float64()):
        columns[str(t)] = pa.array([1.5, None, 2.5], t)
    for name, t in {"32": pa.decimal32(5, 2), "64": pa.decimal64(15, 2), "128": pa.decimal128(38, 2), "256": pa.decimal256(76, 2)}.items():
        columns["decimal" + name] = pa.array(MONEY, t)
    columns["date32"] = pa.array([1, None, 3], pa.date32())
    columns["date64"] = pa.array([86400000, None, 3 * 86400000], pa.date64())
    for t in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        columns[str(t)] = pa.array([1, None, 3], t)
    for unit in ("s", "ms", "us", "ns"):
        columns[f"duration_{unit}"] = pa.array(SECONDS, pa.duration(unit))
        for zone in (None, "UTC", "Asia/Seoul"):
            columns[f"timestamp_{unit}_{zone}"] = pa.array(SECONDS, pa.timestamp(unit, zone))
    for t in (pa.string(), pa.large_string(), pa.string_view()):
        columns[str(t)] = pa.array(WORDS, t)
    for t in (pa.binary(), pa.large_binary(), pa.binary_view()):
        columns[str(t)] = pa.array([b"a", None, b"c"], t)
    columns["fixed_size_binary"] = pa.array([ID, None, ID], pa.binary(16))
    return columns


def extensions():
    of = pa.ExtensionArray.from_storage
    return {
        "uuid": pa.array([ID, None, ID], pa.uuid()), "json": pa.array(['{"a":1}', None, "2"], pa.json_()),
        "bool8": of(pa.bool8(), pa.array([1, None, 0], "int8")), "opaque": of(pa.opaque(TEXT, "x", "y"), pa.array(WORDS)),
        "tensor": of(pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2], [2, 3], [3, 4]], pa.list_(pa.int32(), 2))),
    }


def nested():
    def lists(t, v):
        return pa.array([[v, None], None, []], pa.list_(t))

    columns = {f"list_of_{t}": lists(t, v) for t, v in (
        (INT, 1), (pa.large_string(), "a"), (pa.decimal128(9, 2), Decimal("1.50")), (pa.timestamp("ns", "Asia/Seoul"), 1),
        (pa.time64("us"), 1), (pa.duration("us"), 1), (pa.float16(), 1.5), (pa.binary(4), b"abcd"), (pa.null(), None))}
    columns |= {
        "large_list": pa.array([[1, None], None, []], pa.large_list(INT)), "list_view": pa.array([[1, None], None, []], pa.list_view(INT)),
        "large_list_view": pa.array([[1, None], None, []], pa.large_list_view(INT)),
        "fixed_size_list": pa.array([[1, None], None, [2, 3]], pa.list_(INT, 2)),
        "large_list_of_large_string": pa.array([["a", None], None, []], pa.large_list(pa.large_string())),
        "list_of_list": lists(pa.list_(INT), [1, None]), "list_of_struct": lists(pa.struct([("a", INT)]), {"a": 1}),
        "list_of_map": lists(pa.map_(TEXT, INT), [("a", 1)]),
        "struct": pa.array([{"a": 1, "b": None}, None, {"a": None, "b": "x"}], pa.struct([("a", INT), ("b", TEXT)])),
        "struct_of_null": pa.array([{"b": 1}, None, {}], pa.struct([("a", pa.null()), ("b", INT)])),
        "struct_of_duration": pa.array([{"a": 1}, None, {}], pa.struct([("a", pa.duration("ns"))])),
        "map": pa.array([[("a", 1)], None, []], pa.map_(TEXT, INT)), "map_of_duration": pa.array([[("a", 1)], None, []], pa.map_(TEXT, pa.duration("ms"))),
        "map_of_int_and_timestamp": pa.array([[(1, 1)], None, []], pa.map_(pa.int32(), pa.timestamp("us"))),
    }
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([ID, None], pa.binary(16)))
    columns["list_of_uuid"] = pa.ListArray.from_arrays(pa.array([0, 2, 2, 2], "int32"), ids)
    words = pa.array(WORDS + ["a"]).dictionary_encode()
    columns["list_of_dictionary"] = pa.ListArray.from_arrays(pa.array([0, 2, 3, 4], "int32"), words)
    columns["list_of_dictionary_empty"] = pa.ListArray.from_arrays(pa.array([0, 0, 0, 0], "int32"), words.slice(0, 0))
    columns["struct_of_dictionary"] = pa.StructArray.from_arrays([words.slice(0, 3)], names=["a"])
    return columns


def dictionaries(plain):
    def one(a):
        return pa.DictionaryArray.from_arrays(pa.array([0, None, 1], "int8"), a.drop_null())

    names = ("bool", "int8", "int64", "uint64", "double", "halffloat", "decimal128", "decimal256", "date32", "date64", "time32[ms]", "time64[ns]",
             "timestamp_us_UTC", "timestamp_ns_None", "duration_us", "string", "large_string", "binary", "large_binary", "fixed_size_binary")
    return {f"dictionary_of_{n}": one(plain[n]) for n in names}


def main():
    columns = scalars()
    columns |= extensions() | nested() | dictionaries(columns)
    columns["at"] = pa.array([10, 20, 30], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table(columns), HERE / "parquet" / "kinds.parquet", compression="zstd")
    times = pa.array([1, None, 3000000000], pa.timestamp("ns", "Asia/Seoul"))
    pq.write_table(pa.table({"c": times, "at": times}), HERE / "parquet" / "int96.parquet", use_deprecated_int96_timestamps=True)
    far(HERE / "parquet" / "int96_far.parquet")


def far(path):
    """Writes a time of the year 9999, which pyarrow itself does not."""
    times = pa.table({"x": pa.array([None, 0], pa.timestamp("ns")), "at": pa.array([86400, 86400], pa.timestamp("s", "UTC"))})
    pq.write_table(times, path, use_deprecated_int96_timestamps=True, compression="none", use_dictionary=False)
    first, last = (bytes(8) + day.to_bytes(4, "little") for day in (2440588, 5373484))  # Julian days
    path.write_bytes(path.read_bytes().replace(first, last))


if __name__ == "__main__":
    main()
