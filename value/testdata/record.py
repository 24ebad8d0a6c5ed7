"""Records what Feast stores for the cells of Arrow columns.

Usage: python record.py, with a Python that has Feast. It writes cells.jsonl.gz
beside itself: a line for each column, with the column as an Arrow stream and, for
each value type, the Values in hexadecimal; a type that Feast ends with an error
at is left out.

The way is that of Feast's materialization: a table goes through pandas, which
sorts it and drops repeats, and its columns become Values by way of numpy.
"""

import base64
import datetime as dt
import decimal
import gzip
import json
import logging
import os
import pathlib
import sys
import uuid
import warnings

import numpy as np
import pyarrow as pa
from feast.utils import _columns_to_proto_values
from feast.value_type import ValueType

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
HERE = pathlib.Path(__file__).resolve().parent
D = decimal.Decimal


def feast(arr, kind):
    t = pa.table({"k": pa.array(range(len(arr)), pa.int64()), "x": arr})
    t = pa.Table.from_pandas(t.to_pandas().sort_values(by=["k"]).drop_duplicates(subset=["k"]))
    b = t.to_batches()[0]
    vals = _columns_to_proto_values(b, [("x", kind)])["x"]
    return vals


def scalars():
    V = []

    def add(name, arr):
        V.append((name, arr))

    for t, vs in [
        (pa.int8(), [-128, 7]),
        (pa.int16(), [-32768]),
        (pa.int32(), [2**31 - 1, -(2**31), 0, 1]),
        (pa.int64(), [2**63 - 1, -(2**63), 2**53 + 1, 2**31, 0, 1, -1, 2]),
        (pa.uint8(), [255]),
        (pa.uint16(), [65535]),
        (pa.uint32(), [2**32 - 1, 0]),
        (pa.uint64(), [2**64 - 1, 2**63, 2**53 + 1, 0, 1]),
        (pa.float16(), [np.float16(0.1), np.float16(0), np.float16("nan"), np.float16("inf"), np.float16(7)]),
        (pa.float32(), [0.1, 0.0, 1.0, 1e30, 3.4028234663852886e38, float("nan"), float("inf"), -0.0, 16777216.0]),
        (
            pa.float64(),
            [
                0.1,
                0.0,
                1.0,
                7.5,
                -7.5,
                1e300,
                1e-300,
                3.4028235677973366e38,
                3.4028235e38,
                3.41e38,
                float("nan"),
                float("inf"),
                float("-inf"),
                -0.0,
                1e16,
                1e22,
                1e18,
                9.3e18,
                -9.3e18,
                2**63 * 1.0,
                -(2.0**63),
                2.0**31,
                1.5,
            ],
        ),
        (pa.bool_(), [True, False]),
        (
            pa.string(),
            [
                "a",
                "",
                "7",
                "7.5",
                " 7 ",
                "٧",
                "7_0",
                "+7",
                "-0",
                "007",
                "9223372036854775807",
                "9223372036854775808",
                "2147483648",
                "nan",
                "NaN",
                "true",
                "True",
                "1e3",
                "0x10",
                "a\0b",
                '{"a":1}',
                "[1,2]",
                "2024-01-02",
                "2024-01-02T03:04:05Z",
                "inf",
                "é\U0001f600",
                "12345678901234567890123456789012",
                "00000000-0000-0000-0000-000000000001",
                "null",
                '"x"',
                "1.10",
                " 1.5\n",
            ],
        ),
        (pa.binary(), [b"a", b"", b"\xff\0", b"{}", b"[1,2]", b"[true]", b"7", b"\x00" * 16]),
        (pa.binary(16), [bytes(range(16))]),
        (pa.binary(3), [b"abc"]),
        (
            pa.date32(),
            [dt.date(2024, 1, 2), dt.date(1969, 12, 31), dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1500, 1, 1)],
        ),
        (pa.date64(), [dt.date(2024, 1, 2), dt.date(1969, 12, 31)]),
        (pa.time32("s"), [dt.time(3, 4, 5), dt.time(0, 0, 0)]),
        (pa.time32("ms"), [dt.time(3, 4, 5, 6000)]),
        (pa.time64("us"), [dt.time(3, 4, 5, 678), dt.time(3, 4, 5)]),
        (pa.duration("s"), [dt.timedelta(days=1, seconds=5)]),
        (pa.duration("ms"), [dt.timedelta(milliseconds=-1)]),
        (pa.duration("us"), [dt.timedelta(days=1, microseconds=5)]),
        (pa.decimal128(9, 2), [D("12.30"), D("100.00"), D("0.00"), D("-7.50"), D("7.00")]),
        (pa.decimal128(38, 0), [D(2**63), D(2**53 + 1), D("12345678901234567890123456789012345678"), D(0)]),
        (pa.decimal128(20, 10), [D("0.0000001000"), D("0.0000000001"), D(0)]),
        (pa.decimal128(38, 38), [D("0.1")]),
        (pa.decimal128(5, -3), [D("1000"), D("0")]),
        (pa.decimal256(50, 5), [D("12345678901234567890.12345"), D("7.00000")]),
        (pa.decimal32(9, 2), [D("12.30")]),
        (pa.decimal64(18, 3), [D("12.300")]),
    ]:
        for v in vs:
            add(f"{t}:{v!r}", pa.array([v], t))
    for u, vs in [
        ("s", [0, -1, 1704164645, -62135596800, 253402300799, -(2**63), 2**40]),
        ("ms", [1704164645123, -1, -500, -1000, -62135596800000, 253402300799999, -(2**63)]),
        (
            "us",
            [
                1704164645123456,
                -1,
                -62135596800000000,
                253402300799999999,
                -(2**63),
                1704164645000000,
                1704164645120000,
            ],
        ),
        (
            "ns",
            [
                1704164645123456789,
                -1,
                1704164645123456000,
                1704164645000000000,
                1704153600000000000,
                -(2**63) + 1,
                2**63 - 1,
                -(2**63),
            ],
        ),
    ]:
        for tz in [None, "Asia/Seoul"]:
            for v in vs:
                t = pa.timestamp(u, tz)
                add(f"{t}:{v}", pa.array([v], pa.int64()).cast(t))
    add("time64[ns]", pa.array([11045000000678], pa.int64()).cast(pa.time64("ns")))
    add("time64[ns]:whole us", pa.array([11045000678000], pa.int64()).cast(pa.time64("ns")))
    add("duration[ns]", pa.array([86400000000001], pa.int64()).cast(pa.duration("ns")))
    add("duration[ns]:neg", pa.array([-1], pa.int64()).cast(pa.duration("ns")))
    add("null", pa.nulls(1))
    add("null2", pa.nulls(2))
    return V


def nested():
    V = []

    def add(name, arr):
        V.append((name, arr))

    T = [
        (pa.int8(), [5, None, 7]),
        (pa.int16(), [5, 7]),
        (pa.int32(), [5, None, 7]),
        (pa.int64(), [5, None, 2**53 + 1]),
        (pa.uint8(), [5, 7]),
        (pa.uint16(), [5]),
        (pa.uint32(), [2**32 - 1]),
        (pa.uint64(), [2**64 - 1, 5]),
        (pa.uint64(), [5]),
        (pa.float16(), [np.float16(0.25)]),
        (pa.float32(), [0.25, None, 0.1]),
        (pa.float64(), [0.25, None, 0.1]),
        (pa.float64(), [0.25, float("nan"), float("inf"), 1e300]),
        (pa.bool_(), [True, None, False]),
        (pa.string(), ["a", None, ""]),
        (pa.string(), ["b", "a", "b"]),
        (pa.string(), ["7", "7.5"]),
        (pa.string(), ['{"a":1}', None]),
        (pa.string(), ['{"a":1}', "x"]),
        (pa.large_string(), ["a"]),
        (pa.binary(), [b"a", None, b""]),
        (pa.binary(2), [b"ab"]),
        (pa.date32(), [dt.date(2024, 1, 2), None]),
        (pa.date64(), [dt.date(2024, 1, 2), None]),
        (pa.time64("us"), [dt.time(3, 4, 5), None]),
        (pa.duration("us"), [dt.timedelta(seconds=1), None]),
        (pa.decimal128(9, 2), [D("12.30"), None]),
        (pa.decimal128(9, 2), [D("7.00"), D("100.00")]),
        (pa.timestamp("s"), [1704164645, None]),
        (pa.timestamp("ms"), [1704164645123, None]),
        (pa.timestamp("us"), [1704164645123456, None, -1]),
        (pa.timestamp("ns"), [1704164645123456789, None, -1]),
        (pa.timestamp("us", "UTC"), [1704164645123456, None, -1]),
        (pa.timestamp("ns", "UTC"), [1704164645123456789, None]),
        (pa.timestamp("us", "UTC"), [-62135596800000000]),
        (pa.timestamp("us"), [-62135596800000000]),
        (pa.timestamp("us"), [253402300799000000]),
        (pa.null(), [None, None]),
        (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": "x"}, None]),
        (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": None}]),
        (pa.map_(pa.string(), pa.int64()), [[("a", 1)]]),
        (pa.list_(pa.int64()), [[1, 2], [3], None, []]),
        (pa.list_(pa.int64()), [[1, 2], [3]]),
        (pa.list_(pa.float32()), [[1.5], [2.5]]),
        (pa.list_(pa.string()), [["a"], ["b", None]]),
        (pa.list_(pa.int32()), [[1]]),
        (pa.list_(pa.bool_()), [[True]]),
        (pa.list_(pa.list_(pa.int64())), [[[1]], [[2, 3]]]),
        (pa.list_(pa.timestamp("us")), [[0]]),
        (pa.list_(pa.struct([("a", pa.int64())])), [[{"a": 1}]]),
    ]
    for e, v in T:
        for mk in (pa.list_, lambda e: pa.list_(e, len(v))):
            t = mk(e)
            add(f"{t}:{v!r}", pa.array([v], t))
        add(f"{pa.list_(e)}:[]", pa.array([[]], pa.list_(e)))
        add(f"{pa.list_(e)}:[none]", pa.array([[None]], pa.list_(e)))
        add(f"{pa.list_(e)}:{v!r}+null", pa.array([v, None], pa.list_(e)))
    S = pa.struct
    for t, v in [
        (S([("a", pa.int64())]), {"a": 1}),
        (S([("a", pa.int64()), ("b", pa.string())]), {"a": None, "b": "é"}),
        (
            S([("a", pa.int32()), ("f", pa.float32()), ("d", pa.float64()), ("t", pa.bool_()), ("x", pa.binary())]),
            {"a": 1, "f": 0.1, "d": 0.1, "t": True, "x": b"a"},
        ),
        (S([("t", pa.timestamp("us"))]), {"t": 1704164645123456}),
        (S([("t", pa.timestamp("us", "UTC"))]), {"t": 1704164645123456}),
        (S([("t", pa.timestamp("ns"))]), {"t": 1704164645123456789}),
        (S([("t", pa.timestamp("us"))]), {"t": None}),
        (S([("d", pa.date32())]), {"d": dt.date(2024, 1, 2)}),
        (S([("d", pa.decimal128(9, 2))]), {"d": D("12.30")}),
        (S([("d", pa.time64("us"))]), {"d": dt.time(3, 4, 5)}),
        (S([("l", pa.list_(pa.int64()))]), {"l": [1, 2]}),
        (S([("l", pa.list_(pa.int64()))]), {"l": [1, None]}),
        (S([("l", pa.list_(pa.int64()))]), {"l": []}),
        (S([("l", pa.list_(pa.string()))]), {"l": ["a", None]}),
        (S([("l", pa.list_(pa.float64()))]), {"l": [0.5, None]}),
        (S([("s", S([("a", pa.int64())]))]), {"s": {"a": 1}}),
        (S([("s", S([("a", pa.int64())]))]), {"s": None}),
        (S([("l", pa.list_(S([("a", pa.int64())])))]), {"l": [{"a": 1}]}),
        (S([("l", pa.list_(pa.list_(pa.int64())))]), {"l": [[1]]}),
        (S([("f", pa.float64())]), {"f": float("nan")}),
        (S([("f", pa.float64())]), {"f": None}),
        (S([("u", pa.uint64())]), {"u": 2**64 - 1}),
        (S([("l", pa.list_(pa.timestamp("us")))]), {"l": [0, None]}),
        (S([("n", pa.null())]), {"n": None}),
        (S([]), {}),
        (S([("l", pa.list_(pa.bool_()))]), {"l": [True]}),
        (S([("l", pa.list_(pa.decimal128(9, 2)))]), {"l": [D("12.30")]}),
        (S([("l", pa.list_(pa.binary()))]), {"l": [b"a"]}),
        (S([("l", pa.list_(pa.int32()))]), {"l": [1]}),
        (S([("l", pa.list_(pa.float32()))]), {"l": [0.1]}),
    ]:
        add(f"{t}:{v!r}", pa.array([v], t))
    for k, v, x in [
        (pa.string(), pa.int64(), [("a", 1)]),
        (pa.string(), pa.int64(), [("a", None)]),
        (pa.int64(), pa.string(), [(1, "a")]),
        (pa.string(), pa.string(), [("a", "b")]),
        (pa.string(), pa.string(), []),
        (pa.string(), pa.float64(), [("b", 1.5), ("a", 2.5)]),
    ]:
        t = pa.map_(k, v)
        add(f"{t}:{x!r}", pa.array([x], t))
    for s in [
        '{"a":1}',
        '{"a":1.0,"b":[1,2],"c":null,"d":"x","e":true,"f":{"g":1},"h":[],"i":[{"a":1}],"j":[1,"x"],"k":[[1]]}',
        '{"a":1}',
        '{"a":1} x',
        '{"a":1,"a":2}',
        '{"a":9223372036854775808}',
        '{"a":1e400}',
        '{"a":[1.5,2]}',
        '{"a":[1,2.5]}',
        '{"a":[null,1]}',
        '{"a":["x",null]}',
        '{"a":[1,null]}',
        '{"a":NaN}',
        '{"a":1e3}',
        '{"a":-0}',
        '{"a":-0.0}',
        '{"a":"\\ud800"}',
        '{"a":"\\u0000"}',
        "[]",
        '[{"a":1}]',
        "[1]",
        "null",
        "1",
        '"x"',
        "",
        "{}",
        '{"a":[true,false]}',
        '{"a":[[1],[2]]}',
        '{"a":[{"a":1},2]}',
        '{"a":[{}]}',
        '{"":1}',
        '{"a":{}}',
        '{"a":12345678901234567890123}',
        '{"a":0.1}',
        '{"a":[true,1]}',
        '{"a":["x",1]}',
        '{"a":[0.5,null]}',
        '{"a":[[]]}',
        ' {"a" : 1 } ',
        '{"a":[1,true]}',
        '{"a":[false,null]}',
        '{"a":[0]}',
        '{"a":[[1,2],["a"]]}',
        '{"a":0}',
        '{"a":0.0}',
        '{"a":false}',
        '{"a":""}',
        '{"a":Infinity}',
        '{"b":1,"a":2}',
        "[{}]",
        '[{"a":1},null]',
        '{"a":"2024-01-02"}',
        '{"a":[9223372036854775808]}',
        '{"a":[1e400]}',
    ]:
        add("json:" + s, pa.array([s]))
    d = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", "7"]))
    add("dict string", d)
    add("dict string nonull", d.slice(0, 2))
    add("dict int64", pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array([7, 8])))
    add("dict null value", pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a", None])))
    add("ree", pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([5])))
    add(
        "dense union",
        pa.UnionArray.from_dense(
            pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["a"])]
        ),
    )
    add("string_view", pa.array(["a"], pa.string_view()))
    add("binary_view", pa.array([b"a"], pa.binary_view()))
    add("large_string", pa.array(["a"], pa.large_string()))
    add("large_binary", pa.array([b"a"], pa.large_binary()))
    add("uuid", pa.array([uuid.UUID(int=1).bytes], pa.uuid()))
    add("json ext", pa.array(['{"a":1}'], pa.json_()))
    add("list_view", pa.array([[1, 2]], pa.list_view(pa.int64())))
    add("interval", pa.array([(1, 2, 3)], pa.month_day_nano_interval()))
    add("fsl null", pa.array([[1.0, 2.0], None], pa.list_(pa.float64(), 2)))
    for t, vs in [
        (pa.int64(), [7, None]),
        (pa.int64(), [2**53 + 1, None]),
        (pa.int32(), [7, None]),
        (pa.bool_(), [True, None]),
        (pa.bool_(), [None, False]),
        (pa.float64(), [1.5, None, float("nan")]),
        (pa.float32(), [0.1, None]),
        (pa.string(), ["7", None]),
        (pa.binary(), [b"a", None]),
        (pa.date32(), [dt.date(2024, 1, 2), None]),
        (pa.decimal128(9, 2), [D("12.30"), None]),
        (pa.time64("us"), [dt.time(1), None]),
        (pa.duration("us"), [dt.timedelta(1), None]),
        (pa.timestamp("us"), [0, None]),
        (pa.timestamp("us", "UTC"), [0, None]),
        (pa.timestamp("us"), [None, None]),
        (pa.date32(), [None]),
        (pa.int64(), [None]),
        (pa.string(), [None]),
        (pa.bool_(), [None]),
        (pa.duration("s"), [None]),
        (pa.uint64(), [7, None]),
        (pa.float64(), [0.0, 1.5]),
        (pa.int64(), [0, 5]),
        (pa.float64(), [1.0, 2.0]),
        (pa.float64(), [None, None]),
        (pa.bool_(), [False, True]),
        (pa.decimal128(9, 2), [D("0.00"), D("1.50")]),
        (pa.decimal128(9, 2), [D("1.50"), D("0.00")]),
    ]:
        add(f"{t}:{vs!r}", pa.array(vs, t))
    return V


def outcome(column, kind):
    try:
        return [v.SerializeToString(deterministic=True).hex() for v in feast(column, kind)]
    except Exception:
        return None


def main():
    if os.environ.get("PYTHONHASHSEED") != "0":  # for the order of sets
        os.execve(sys.executable, [sys.executable, __file__], os.environ | {"PYTHONHASHSEED": "0"})
    lines = []
    for name, column in scalars() + nested():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.schema([("x", column.type)])) as stream:
            stream.write_batch(pa.record_batch([column], names=["x"]))
        outcomes = {}
        for kind in ValueType:
            if kind in (ValueType.UNKNOWN, ValueType.NULL):
                continue
            values = outcome(column, kind)
            if values is not None:
                outcomes[kind.name] = values
        lines.append(
            json.dumps({"name": name, "column": base64.b64encode(sink.getvalue()).decode(), "feast": outcomes})
        )
    with gzip.GzipFile(HERE / "cells.jsonl.gz", "wb", mtime=0) as out:
        out.write(("\n".join(lines) + "\n").encode())
    print(len(lines), "columns")


if __name__ == "__main__":
    main()
