"""The columns on which conversions are tested: types of PostgreSQL and of Arrow.

Feast's errors concern a whole column. So each value that may be refused has a
separate column, besides a column of ordinary values, one of ordinary values and a
null, and one of only nulls.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable

import pyarrow as pa

SETUP = """
CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE DOMAIN posint AS int8 CHECK (VALUE > 0); CREATE DOMAIN label AS text; CREATE DOMAIN price AS numeric(9, 2);
CREATE TYPE pair AS (a int8, b text);
"""

# Texts that can be parsed as other value types.
WRITTEN = {"number": "12", "fraction": "7.5", "json object": "{}", "json list": "[]", "json list of objects": "[{}]"}
QUOTED = {name: f"'{text}'" for name, text in WRITTEN.items()}
# Each type: its ordinary values, and by name those with a separate column. Values are SQL.
POSTGRES: dict[str, tuple[list[str], dict[str, str]]] = {
    "bool": (["true", "false", "true"], {}),
    "int2": (["1", "-5", "0"], {"max": "32767", "min": "-32768"}),
    "int4": (["1", "-5", "0"], {"max": "2147483647", "min": "-2147483648"}),
    "int8": (["1", "-5", "0"], {"max": "9223372036854775807", "min": "-9223372036854775808", "beyond a double": "9007199254740993", "beyond int32": "2147483648", "zero": "0", "two": "2"}),
    "float4": (["0.5", "-1.25", "0.1"], {"nan": "'NaN'", "inf": "'Infinity'", "-inf": "'-Infinity'", "max": "3.4028235e38", "tiny": "1e-45", "-0": "'-0'", "whole": "7", "one third": "0.333333333"}),
    "float8": (["0.5", "-1.25", "0.1"], {"nan": "'NaN'", "inf": "'Infinity'", "-inf": "'-Infinity'", "max": "1.7976931348623157e308", "tiny": "5e-324", "-0": "'-0'", "whole": "7", "7.5": "7.5", "1e22": "1e22", "beyond int64": "1e19", "beyond float": "1e300", "zero": "0"}),
    "numeric": (["12.30", "-0.5", "100.00"], {"nan": "'NaN'", "inf": "'Infinity'", "-inf": "'-Infinity'", "whole": "7", "7.5": "7.5", "-7.5": "-7.5", "scale": "0.10", "tiny": "0.0000001", "many digits": "1234567890123456789.123456789", "big": "9007199254740993",
                "int64 max": "9223372036854775807", "beyond int64": "9223372036854775808", "1e400": "1e400", "trailing zeros": "1000.000", "cents": "15.37", "zero": "0", "zero.00": "0.00", "one third": "0.3333333333333333333333", "1e22": "1e22", "1e16": "10000000000000000"}),
    "numeric(9,2)": (["12.30", "-0.5", "100.00"], {"7.50": "7.50", "whole": "7.00", "cents": "15.37"}),
    "numeric(20,0)": (["12", "-5", "100"], {"beyond a double": "9007199254740993", "max": "99999999999999999999"}),
    "price": (["12.30", "0.5", "100.00"], {"whole": "7.00", "cents": "15.37"}),
    "money": (["'12.30'", "'-5.00'", "'1234567.89'"], {}),
    "text": (["'a'", "'b c'", "''"], {"unicode": "'é日本😀'", "number": "'12'", "fraction": "'7.5'", "blanks": "' 7 '", "digits of another script": "'७'", "underscore": "'1_000'", "plus": "'+5'", "zeros": "'007'", "exponent": "'1e5'", "hex": "'0x10'", "beyond int64": "'9223372036854775808'",
             "true": "'true'", "nan": "'nan'", "inf": "'inf'", "json object": "'{\"a\": 1}'", "json list": "'[1, 2]'", "json null": "'null'", "date": "'2024-01-02'", "time": "'2024-01-02 03:04:05+00'", "uuid": "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "decimal": "'12.30'", "line": "E'a\\nb'",
             "long": "repeat('x', 300)", "quote": "E'\"\\\\'", "control": "E'\\x01'", "broken json": "'{\"a\": '", "json and more": "'{\"a\": 1} x'", "json twice": "'{\"a\": 1, \"a\": 2}'", "json big": "'{\"a\": 12345678901234567890123, \"b\": 1e400, \"c\": 0.1, \"d\": [1, null], \"e\": null, \"f\": {}, \"g\": [], \"h\": true}'",
             "json list of objects": "'[{\"a\": 1}, {\"b\": \"x\"}]'", "json nan": "'{\"a\": NaN}'", "empty": "''"}),
    "varchar": (["'a'", "'b c'", "''"], QUOTED),
    "varchar(5)": (["'a'", "'b c'", "''"], QUOTED),
    "char(5)": (["'a'", "'b c'", "'abcde'"], QUOTED),
    "bpchar": (["'a'", "'b c'", "'abcde'"], QUOTED),
    '"char"': (["'a'", "'b'", "'c'"], {"empty": "''"}),
    "name": (["'a'", "'b c'", "'d'"], QUOTED),
    "citext": (["'A'", "'b C'", "''"], QUOTED),
    "label": (["'A'", "'b C'", "''"], QUOTED),
    "mood": (["'sad'", "'happy'", "'so so'"], {}),
    "posint": (["1", "5", "9"], {"beyond a double": "9007199254740993"}),
    "bytea": (["'a'", "'\\x00ff'", "''"], {"text": "'abc'", "json list": "'[1, 2]'"}),
    "date": (["'2024-01-02'", "'1969-12-31'", "'2000-02-29'"], {"infinity": "'infinity'", "-infinity": "'-infinity'", "bc": "'0044-03-15 BC'", "far": "'20000-01-01'", "last of Python": "'9999-12-31'", "first of Python": "'0001-01-01'", "beyond ns": "'2300-01-01'", "1970": "'1970-01-01'"}),
    "timestamp": (["'2024-01-02 03:04:05.678901'", "'1969-12-31 23:59:59.5'", "'2000-02-29'"], {"infinity": "'infinity'", "-infinity": "'-infinity'", "bc": "'0044-03-15 01:02:03 BC'", "far": "'20000-01-01'", "last of Python": "'9999-12-31 23:59:59.999999'", "first of Python": "'0001-01-01'", "beyond ns": "'2300-01-01'", "1970": "'1970-01-01'"}),
    "timestamptz": (["'2024-01-02 03:04:05.678901+09'", "'1969-12-31 23:59:59.5Z'", "'2000-02-29Z'"], {"infinity": "'infinity'", "-infinity": "'-infinity'", "bc": "'0044-03-15 01:02:03Z BC'", "far": "'20000-01-01Z'", "last of Python": "'9999-12-31 23:59:59.999999Z'", "first of Python": "'0001-01-01Z'", "beyond ns": "'2300-01-01Z'", "1970": "'1970-01-01Z'"}),
    "time": (["'03:04:05.678901'", "'00:00'", "'23:59:59'"], {"24": "'24:00'"}),
    "timetz": (["'03:04:05.678901+09'", "'00:00Z'", "'23:59:59-05'"], {}),
    "interval": (["'1 day 02:03:04'", "'00:00:01.5'", "'10 days'"], {"months": "'1 year 2 mons'", "negative": "'-1 day'"}),
    "uuid": (["'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-9dad-41d1-80b4-00c04fd430c8'"], {}),
    "json": (["'{\"a\": 1}'", "'{\"b\": \"x\"}'", "'{}'"], {"list": "'[1, 2]'", "text": "'\"x\"'", "number": "'12'", "null": "'null'", "true": "'true'", "nested": "'{\"a\": {\"b\": [1.5, 2], \"c\": null}, \"d\": \"é\", \"e\": []}'", "list of objects": "'[{\"a\": 1}, {\"b\": \"x\"}]'",
             "twice": "'{\"a\": 1, \"a\": 2}'", "big": "'{\"a\": 12345678901234567890123}'", "1e400": "'{\"a\": 1e400}'", "blanks": "'{ \"a\":1 }'", "int64": "'{\"a\": 9223372036854775807}'", "list with null": "'{\"a\": [1, null]}'", "mixed list": "'{\"a\": [1, \"x\"]}'", "empty list": "'[]'", "escapes": "'{\"a\": \"\\u00e9\\n\"}'", "fraction": "'{\"a\": 1.10}'"}),
    "jsonb": (["'{\"a\": 1}'", "'{\"b\": \"x\"}'", "'{}'"], {"list": "'[1, 2]'", "text": "'\"x\"'", "number": "'12'", "null": "'null'", "true": "'true'", "nested": "'{\"a\": {\"b\": [1.5, 2], \"c\": null}, \"d\": \"é\", \"e\": []}'", "list of objects": "'[{\"a\": 1}, {\"b\": \"x\"}]'",
              "big": "'{\"a\": 12345678901234567890123}'", "fraction": "'{\"a\": 1.10}'", "order": "'{\"bb\": 1, \"a\": 2}'"}),
    "xml": (["'<a/>'", "'<b>x</b>'", "'<c d=\"1\"/>'"], {}),
    "inet": (["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"], {}),
    "cidr": (["'10.0.0.0/8'", "'10.1.2.3/32'", "'::1/128'"], {}),
    "macaddr": (["'08:00:2b:01:02:03'"], {}), "macaddr8": (["'08:00:2b:01:02:03:04:05'"], {}),
    "bit(3)": (["B'101'", "B'000'", "B'111'"], {}), "varbit": (["B'101'", "B''", "B'1'"], {}),
    "point": (["'(1,2.5)'"], {}), "line": (["'{1,2,3}'"], {}), "lseg": (["'[(0,0),(1,1)]'"], {}), "box": (["'(1,1),(0,0)'"], {}), "path": (["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"], {}),
    "polygon": (["'((0,0),(1,1),(2,0))'"], {}), "circle": (["'<(1,2),3>'"], {}),
    "int4range": (["'[1,5)'", "'empty'", "'(,5)'"], {}), "int8range": (["'[1,5)'"], {}), "numrange": (["'[1.10,5]'"], {}), "daterange": (["'[2024-01-01,2024-01-05)'"], {}),
    "tsrange": (["'[2024-01-01,2024-01-05)'"], {"infinity": "'[2024-01-01,infinity]'"}), "tstzrange": (["'[2024-01-01 00:00+09,2024-01-05 00:00Z)'"], {}), "int4multirange": (["'{[1,3),[5,9)}'"], {}),
    "tsvector": (["'a:1 b:2'"], {}), "tsquery": (["'a & b'"], {}), "pg_lsn": (["'16/B374D848'"], {}), "jsonpath": (["'$.a'"], {}),
    "oid": (["1", "5", "4294967295"], {}), "regclass": (["'pg_class'"], {}), "regtype": (["'int4'"], {}), "regproc": (["'now'"], {}), "xid": (["'5'"], {}), "xid8": (["'5'"], {}), "cid": (["'5'"], {}), "tid": (["'(0,1)'"], {}),
    "txid_snapshot": (["'10:20:10,14'"], {}), "aclitem": (["'feast=r/feast'"], {}), "regnamespace": (["'pg_catalog'"], {}), "regrole": (["'feast'"], {}), "regoper": (["'|/'"], {}), "regoperator": (["'+(int4,int4)'"], {}), "regprocedure": (["'abs(int4)'"], {}), "regcollation": (["'\"C\"'"], {}), "regconfig": (["'english'"], {}), "regdictionary": (["'simple'"], {}),
    "int8multirange": (["'{[1,3),[5,9)}'"], {}), "nummultirange": (["'{[1.10,3)}'"], {}), "datemultirange": (["'{[2024-01-01,2024-01-05)}'"], {}), "tsmultirange": (["'{[2024-01-01,2024-01-05)}'"], {}), "tstzmultirange": (["'{[2024-01-01Z,2024-01-05Z)}'"], {}),
    "int2vector": (["'1 2'"], {}), "oidvector": (["'1 2'"], {}), "pg_snapshot": (["'10:20:10,14'"], {}), "refcursor": (["'a'"], {}),
    "pair": (["ROW(1, 'a')"], {}), "hstore": (["'a=>1'"], {}),
    "bool[]": (["'{t,f}'", "'{t}'", "'{f,f}'"], {"null within": "'{t,NULL,f}'", "empty": "'{}'"}),
    "int2[]": (["'{1,2}'", "'{3}'", "'{4,5,6}'"], {"null within": "'{5,NULL,7}'", "empty": "'{}'"}),
    "int4[]": (["'{1,2}'", "'{3}'", "'{4,5,6}'"], {"null within": "'{5,NULL,7}'", "empty": "'{}'", "extremes": "'{2147483647,-2147483648}'"}),
    "int8[]": (["'{1,2}'", "'{3}'", "'{4,5,6}'"], {"null within": "'{5,NULL,7}'", "nulls alone": "'{NULL,NULL}'", "empty": "'{}'", "extremes": "'{9223372036854775807,-9223372036854775808}'", "beyond a double": "'{9007199254740993,1}'", "beyond a double, null": "'{9007199254740993,NULL}'", "two dimensions": "'{{1,2},{3,4}}'",
               "three dimensions": "'{{{1,2},{3,4}},{{5,6},{7,8}}}'", "bounds": "'[0:1]={1,2}'", "repeated": "'{1,1,2}'", "one dimension, one value": "'{{1}}'"}),
    "float4[]": (["'{0.5,1.25}'", "'{0.1}'", "'{4,5,6}'"], {"null within": "'{0.25,NULL,1}'", "nan": "'{NaN,Infinity,-Infinity}'", "empty": "'{}'"}),
    "float8[]": (["'{0.5,1.25}'", "'{0.1}'", "'{4,5,6}'"], {"null within": "'{0.25,NULL,1}'", "nulls alone": "'{NULL}'", "nan": "'{NaN,Infinity,-Infinity}'", "empty": "'{}'", "two dimensions": "'{{0.5,1},{2,3}}'", "beyond float": "'{1e300}'"}),
    "numeric[]": (["'{12.30,0.5}'", "'{7}'", "'{100.00}'"], {"null within": "'{0.25,NULL,1}'", "nan": "'{NaN}'", "infinity": "'{Infinity}'", "many digits": "'{1234567890123456789.123456789}'", "empty": "'{}'", "whole": "'{1,2}'", "big": "'{9007199254740993}'"}),
    "text[]": (["'{a,b c}'", "'{\"\"}'", "'{x,y,z}'"], {"null within": "'{a,NULL,b}'", "nulls alone": "'{NULL}'", "empty": "'{}'", "word null": "'{\"NULL\",a}'", "quotes": "ARRAY['a\"b','c\\d','e,f','{g}']", "unicode": "'{é,日本}'", "two dimensions": "'{{a,b},{c,d}}'", "json": "ARRAY['{\"a\": 1}','2']", "numbers": "'{1,2}'", "uuids": "'{6ba7b810-9dad-11d1-80b4-00c04fd430c8}'", "repeated": "'{a,a}'"}),
    "varchar[]": (["'{a,b c}'", "'{\"\"}'", "'{x,y,z}'"], {}), "char(3)[]": (["'{a,b}'", "'{c}'", "'{abc}'"], {}),
    "bytea[]": (["ARRAY['a'::bytea, '\\x00ff']", "ARRAY['b'::bytea]", "ARRAY[''::bytea]"], {"null within": "ARRAY['a'::bytea, NULL]", "empty": "'{}'"}),
    "date[]": (["'{2024-01-02,1969-12-31}'", "'{2000-02-29}'", "'{1970-01-01}'"], {"null within": "'{2024-01-02,NULL}'", "infinity": "'{2024-01-02,infinity}'", "empty": "'{}'", "far": "'{20000-01-01}'"}),
    "timestamp[]": (["'{2024-01-02 03:04:05.678901,1969-12-31 23:59:59.5}'", "'{2000-02-29}'", "'{1970-01-01}'"], {"null within": "'{2024-01-02,NULL}'", "infinity": "'{2024-01-02,infinity}'", "empty": "'{}'", "beyond ns": "'{2300-01-01}'"}),
    "timestamptz[]": (["'{2024-01-02 03:04:05.678901+09,1969-12-31 23:59:59.5Z}'", "'{2000-02-29Z}'", "'{1970-01-01Z}'"], {"null within": "'{2024-01-02Z,NULL}'", "nulls alone": "'{NULL}'", "infinity": "'{2024-01-02Z,infinity}'", "-infinity": "'{-infinity}'", "empty": "'{}'", "beyond ns": "'{2300-01-01Z}'"}),
    "time[]": (["'{03:04:05,00:00}'"], {}), "interval[]": (["'{1 day,02:03:04}'"], {"null within": "'{1 day,NULL}'"}),
    "uuid[]": (["'{6ba7b810-9dad-11d1-80b4-00c04fd430c8}'", "'{00000000-0000-0000-0000-000000000000,FFFFFFFF-9dad-41d1-80b4-00c04fd430c8}'"], {"null within": "'{6ba7b810-9dad-11d1-80b4-00c04fd430c8,NULL}'", "empty": "'{}'"}),
    "json[]": (["ARRAY['{\"a\": 1}'::json, '{\"b\": \"x\"}']"], {"null within": "ARRAY['{\"a\": 1}'::json, NULL]", "empty": "'{}'", "others": "ARRAY['1'::json, '\"x\"', '[2]']"}),
    "jsonb[]": (["ARRAY['{\"a\": 1}'::jsonb, '{\"b\": \"x\"}']"], {"null within": "ARRAY['{\"a\": 1}'::jsonb, NULL]", "empty": "'{}'", "json null": "ARRAY['null'::jsonb]", "others": "ARRAY['1'::jsonb, '\"x\"', '[2]']"}),
    "inet[]": (["'{10.0.0.1,10.0.0.0/8}'"], {"null within": "'{10.0.0.1,NULL}'"}), "mood[]": (["'{sad,\"so so\"}'"], {"null within": "'{sad,NULL}'", "empty": "'{}'"}), "posint[]": (["'{1,2}'"], {}), "pair[]": (["ARRAY[ROW(1, 'a')::pair, ROW(2, 'b,c')::pair]"], {}),
    "int4range[]": (["ARRAY['[1,5)'::int4range, '(,5)']"], {}), "point[]": (["ARRAY['(1,2.5)'::point]"], {}), "citext[]": (["'{A,b}'"], {}), "oid[]": (["'{1,2}'"], {}), "name[]": (["'{a,b}'"], {}), "bit(3)[]": (["ARRAY[B'101']"], {}), "box[]": (["ARRAY['(1,1),(0,0)'::box, '(2,2),(0,0)']"], {}), "money[]": (["ARRAY['12.30'::money]"], {}), "\"char\"[]": (["ARRAY['a'::\"char\"]"], {}),
}
# Columns without a named type in SQL.
UNTYPED = {"unknown": ["'a'", "'b'", "'c'"], "record": ["ROW(1, 'a')", "ROW(2, 'b')"], "null": ["NULL", "NULL"]}


@dataclass
class Case:
    source: str
    case: str
    values: Any  # for PostgreSQL a query, for Parquet an array
    file: str = ""  # how the Parquet file is written: one of WRITING


# The types whose values are written into CSV files, too.
IN_CSV = {"int64", "int32", "uint64", "double", "float", "bool", "string", "decimal128(9,2)", "decimal128(38,0)", "decimal128(38,20)", "date32", "timestamp[us]", "timestamp[us, UTC]", "null"}
# A file with pyarrow's schema in it, one without, as other programs write them, and one of old Spark and Hive.
WRITING: dict[str, dict[str, Any]] = {"": {}, "bare": {"store_schema": False}, "int96": {"store_schema": False, "use_deprecated_int96_timestamps": True}, "list of items": {"store_schema": False, "use_compliant_nested_type": False}}


def query(values: list[str], cast: str) -> str:
    rows = ", ".join(f"({i}, {'(' + v + ')::' + cast if cast else v})" for i, v in enumerate(values))
    return f"SELECT k::int8 AS k, x, timestamptz '2024-01-01 12:00:00Z' - k * interval '1 hour' AS ts FROM (VALUES {rows}) AS v(k, x)"


# Types of pg_type for which no column is made: the server uses them internally.
INTERNAL = {"gtsvector", "pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "pg_ddl_command"}


def arrays() -> dict[str, tuple[list[str], dict[str, str]]]:
    """An array of each type without one in the table."""
    out = {}
    for kind, (ordinary, _) in POSTGRES.items():
        if not kind.endswith("]") and f"{kind}[]" not in POSTGRES:
            one = f"({ordinary[0]})::{kind}"
            out[f"{kind}[]"] = ([f"ARRAY[{one}]", f"ARRAY[{one}, {one}]"], {"null within": f"ARRAY[{one}, NULL]", "empty": "'{}'"})
    return out


def postgres() -> list[Case]:
    cases = []
    for kind, (ordinary, nasty) in (POSTGRES | arrays()).items():
        cases.append(Case(kind, "ordinary", query(ordinary, kind)))
        cases.append(Case(kind, "null among", query([ordinary[0], "NULL", ordinary[-1]], kind)))
        cases.append(Case(kind, "nulls alone", query(["NULL", "NULL"], kind)))
        cases += [Case(kind, name, query([value], kind)) for name, value in nasty.items() if name != "nulls alone"]
        cases += [Case(kind, "list of nulls", query([value], kind)) for name, value in nasty.items() if name == "nulls alone"]
    return cases + [Case(kind, "ordinary", query(values, "")) for kind, values in UNTYPED.items()]


UTC = dt.timezone.utc
T = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)
DAYS = [dt.date(2024, 1, 2), dt.date(1969, 12, 31), dt.date(2000, 2, 29)]
TIMES = [T, dt.datetime(1969, 12, 31, 23, 59, 59, 500000), dt.datetime(2000, 2, 29)]
LOW = -(2**63)
UUID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def ints(bits: int, signed: bool) -> tuple[list, dict]:
    top = 2 ** (bits - signed) - 1
    nasty = {"max": top, "zero": 0, "two": 2}
    if signed:
        nasty["min"] = -top - 1
    if bits == 64:
        nasty |= {"beyond a double": 9007199254740993, "beyond int32": 2**31}
    return [1, 5 if not signed else -5, 0], nasty


FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0, "whole": 7.0, "7.5": 7.5, "zero": 0.0, "tiny": 6e-8}
TEXTS = {"unicode": "é日本😀", "number": "12", "fraction": "7.5", "blanks": " 7 ", "digits of another script": "७", "underscore": "1_000", "plus": "+5", "zeros": "007", "exponent": "1e5", "hex": "0x10", "beyond int64": "9223372036854775808", "true": "true", "nan": "nan", "json object": '{"a": 1}',
         "json list": "[1, 2]", "date": "2024-01-02", "time": "2024-01-02 03:04:05+00", "uuid": str(UUID), "decimal": "12.30", "zero byte": "a\0b", "empty": "", "broken json": '{"a": ', "json and more": '{"a": 1} x', "json twice": '{"a": 1, "a": 2}', "json list of objects": '[{"a": 1}]', "json surrogate": '{"a": "\\ud800"}'}
DECIMALS = {"scale": Decimal("0.10"), "7.5": Decimal("7.50"), "whole": Decimal("7.00"), "zero": Decimal("0.00"), "-7.5": Decimal("-7.50")}
ARROW: dict[str, tuple[Callable[[], pa.DataType], list, dict[str, Any]]] = {
    "bool": (pa.bool_, [True, False, True], {}),
    **{f"{'' if s else 'u'}int{b}": ((lambda b=b, s=s: getattr(pa, f"{'' if s else 'u'}int{b}")()), *ints(b, s)) for s in (True, False) for b in (8, 16, 32, 64)},
    "halffloat": (pa.float16, [0.5, -1.25, 0.1], FLOATS), "float": (pa.float32, [0.5, -1.25, 0.1], FLOATS | {"max": 3.4028234663852886e38, "1e22": 1e22, "one third": 1 / 3}),
    "double": (pa.float64, [0.5, -1.25, 0.1], FLOATS | {"max": 1.7976931348623157e308, "least": 5e-324, "1e22": 1e22, "1e16": 1e16, "beyond int64": 1e19, "beyond float": 1e300, "one third": 1 / 3, "beyond int32": 2147483648.0, "-7.5": -7.5}),
    "decimal32(9,2)": (lambda: pa.decimal32(9, 2), [Decimal("12.30"), Decimal("-0.50"), Decimal("100.00")], DECIMALS),
    "decimal64(18,2)": (lambda: pa.decimal64(18, 2), [Decimal("12.30"), Decimal("-0.50"), Decimal("100.00")], DECIMALS),
    "decimal128(9,2)": (lambda: pa.decimal128(9, 2), [Decimal("12.30"), Decimal("-0.50"), Decimal("100.00")], DECIMALS),
    "decimal128(38,0)": (lambda: pa.decimal128(38, 0), [Decimal(12), Decimal(-5), Decimal(0)], {"beyond a double": Decimal(9007199254740993), "int64 max": Decimal(2**63 - 1), "beyond int64": Decimal(2**63), "many digits": Decimal("9" * 38)}),
    "decimal128(38,20)": (lambda: pa.decimal128(38, 20), [Decimal("12.3"), Decimal("-0.5"), Decimal("0.1")], {"tiny": Decimal("0.00000000000000000001"), "one third": Decimal("0.33333333333333333333"), "zero": Decimal(0), "many digits": Decimal("123456789012345678.12345678901234567890")}),
    "decimal256(50,2)": (lambda: pa.decimal256(50, 2), [Decimal("12.30"), Decimal("-0.50"), Decimal("100.00")], DECIMALS | {"many digits": Decimal("9" * 48 + ".99")}),
    "date32": (pa.date32, DAYS, {"far": dt.date(9999, 12, 31), "early": dt.date(1, 1, 1), "beyond ns": dt.date(2300, 1, 1)}), "date64": (pa.date64, DAYS, {"beyond ns": dt.date(2300, 1, 1)}),
    "time32[s]": (lambda: pa.time32("s"), [dt.time(3, 4, 5), dt.time(0), dt.time(23, 59, 59)], {}), "time32[ms]": (lambda: pa.time32("ms"), [dt.time(3, 4, 5, 678000), dt.time(0), dt.time(23, 59, 59)], {}),
    "time64[us]": (lambda: pa.time64("us"), [dt.time(3, 4, 5, 678901), dt.time(0), dt.time(23, 59, 59)], {}), "time64[ns]": (lambda: pa.time64("ns"), [11045678901000, 0, 86399000000000], {"nanoseconds": 11045678901234}),
    **{f"timestamp[{u}]": ((lambda u=u: pa.timestamp(u)), [t.replace(microsecond=0) if u == "s" else t.replace(microsecond=t.microsecond // 1000 * 1000) if u == "ms" else t for t in TIMES], ({"lowest": LOW, "beyond ns": dt.datetime(2300, 1, 1), "far": dt.datetime(9999, 12, 31)} if u in ("ms", "us") else {"beyond ns": dt.datetime(2300, 1, 1), "far": dt.datetime(9999, 12, 31)} if u == "s" else {"lowest": LOW, "nanoseconds": 1704164645678901234, "before 1970": -1}) | {"1970": 0}) for u in ("s", "ms", "us", "ns")},
    **{f"timestamp[{u}, UTC]": ((lambda u=u: pa.timestamp(u, "UTC")), [t.replace(tzinfo=UTC, microsecond=t.microsecond // 1000 * 1000) for t in TIMES], {"1970": 0, "before 1970": -1} | ({"beyond ns": dt.datetime(2300, 1, 1, tzinfo=UTC)} if u != "ns" else {})) for u in ("ms", "us", "ns")},
    "timestamp[us, Asia/Seoul]": (lambda: pa.timestamp("us", "Asia/Seoul"), [t.replace(tzinfo=UTC) for t in TIMES], {}), "timestamp[us, +05:30]": (lambda: pa.timestamp("us", "+05:30"), [t.replace(tzinfo=UTC) for t in TIMES], {}),
    **{f"duration[{u}]": ((lambda u=u: pa.duration(u)), [dt.timedelta(days=1, seconds=3), dt.timedelta(0), dt.timedelta(seconds=-5)], {}) for u in ("s", "ms", "us", "ns")},
    "string": (pa.string, ["a", "b c", ""], TEXTS), "large_string": (pa.large_string, ["a", "b c", ""], WRITTEN), "string_view": (pa.string_view, ["a", "b c", "longer than twelve"], WRITTEN),
    "binary": (pa.binary, [b"a", b"\0\xff", b""], {"json list": b"[1, 2]", "quote": b"it's"}), "large_binary": (pa.large_binary, [b"a", b"\0\xff", b""], {}), "binary_view": (pa.binary_view, [b"a", b"\0\xff", b"longer than twelve"], {}), "fixed_size_binary[4]": (lambda: pa.binary(4), [b"abcd", b"\0\xff\0\0", b"1234"], {}),
    "uuid": (pa.uuid, [UUID, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)], {}), "json": (lambda: pa.json_(), ['{"a": 1}', '{"b": "x"}', "{}"], {}),
    "list<bool>": (lambda: pa.list_(pa.bool_()), [[True, False], [True], [False]], {"null within": [True, None, False], "empty": []}),
    **{f"list<{n}>": ((lambda k=k: pa.list_(k())), [[1, 2], [3], [4, 5, 6]], {"null within": [5, None, 7], "empty": []}) for n, k in {"int8": pa.int8, "int16": pa.int16, "int32": pa.int32, "uint8": pa.uint8, "uint32": pa.uint32}.items()},
    "list<int64>": (lambda: pa.list_(pa.int64()), [[1, 2], [3], [4, 5, 6]], {"null within": [5, None, 7], "list of nulls": [None, None], "empty": [], "extremes": [2**63 - 1, LOW], "beyond a double": [9007199254740993], "beyond a double, null": [9007199254740993, None], "repeated": [1, 1, 2], "beyond int32": [2**31], "zeros": [0, 0]}),
    "list<uint64>": (lambda: pa.list_(pa.uint64()), [[1, 2], [3], [4, 5, 6]], {"max": [2**64 - 1]}),
    "list<float>": (lambda: pa.list_(pa.float32()), [[0.5, 1.25], [0.1], [4.0, 5.0]], {"null within": [0.25, None, 1.0], "nan": [math.nan, math.inf], "empty": []}), "list<halffloat>": (lambda: pa.list_(pa.float16()), [[0.5, 1.25], [0.1], [4.0]], {}),
    "list<double>": (lambda: pa.list_(pa.float64()), [[0.5, 1.25], [0.1], [4.0, 5.0]], {"null within": [0.25, None, 1.0], "list of nulls": [None], "nan": [math.nan, math.inf], "empty": [], "beyond float": [1e300], "whole": [1.0, 2.0], "repeated": [0.5, 0.5], "repeated nan": [math.nan, math.nan]}),
    "list<decimal128(9,2)>": (lambda: pa.list_(pa.decimal128(9, 2)), [[Decimal("12.30"), Decimal("0.50")], [Decimal("7.00")], [Decimal("100.00")]], {"null within": [Decimal("0.25"), None], "empty": []}),
    "list<string>": (lambda: pa.list_(pa.string()), [["a", "b c"], [""], ["x", "y", "z"]], {"null within": ["a", None, "b"], "list of nulls": [None], "empty": [], "numbers": ["1", "2"], "json": ['{"a": 1}', "2"], "uuids": [str(UUID)], "repeated": ["a", "a"], "unicode": ["é", "日本"], "decimals": ["12.30"]}),
    "list<large_string>": (lambda: pa.list_(pa.large_string()), [["a", "b c"], [""], ["x"]], {}), "list<binary>": (lambda: pa.list_(pa.binary()), [[b"a", b"\xff"], [b""], [b"x"]], {"null within": [b"a", None], "empty": []}),
    "list<date32>": (lambda: pa.list_(pa.date32()), [DAYS[:2], DAYS[2:], DAYS[:1]], {"null within": [DAYS[0], None], "empty": []}), "list<time64[us]>": (lambda: pa.list_(pa.time64("us")), [[dt.time(3, 4, 5)], [dt.time(0)]], {}), "list<duration[us]>": (lambda: pa.list_(pa.duration("us")), [[dt.timedelta(days=1)]], {}),
    **{f"list<timestamp[{u}]>": ((lambda u=u: pa.list_(pa.timestamp(u))), [[t.replace(microsecond=0) for t in TIMES[:2]], TIMES[2:]], {"null within": [TIMES[2], None], "list of nulls": [None], "empty": []} | ({"beyond ns": [dt.datetime(2300, 1, 1)], "before 1970": [-1]} if u != "ns" else {"before 1970": [-1]})) for u in ("s", "ms", "us", "ns")},
    "list<timestamp[us, UTC]>": (lambda: pa.list_(pa.timestamp("us", "UTC")), [[t.replace(tzinfo=UTC) for t in TIMES[:2]], [TIMES[2].replace(tzinfo=UTC)]], {"null within": [TIMES[2].replace(tzinfo=UTC), None], "empty": [], "before 1970": [-1]}),
    "list<uuid>": (lambda: pa.list_(pa.uuid()), [[UUID]], {}), "list<null>": (lambda: pa.list_(pa.null()), [[None], [], [None, None]], {}),
    "large_list<int64>": (lambda: pa.large_list(pa.int64()), [[1, 2], [3], [4, 5, 6]], {"null within": [5, None, 7]}), "fixed_size_list<float>[2]": (lambda: pa.list_(pa.float32(), 2), [[0.5, 1.25], [0.1, 0.2], [4.0, 5.0]], {"null within": [0.5, None]}),
    "fixed_size_list<int64>[2]": (lambda: pa.list_(pa.int64(), 2), [[1, 2], [3, 4], [5, 6]], {"null within": [5, None]}), "list_view<int64>": (lambda: pa.list_view(pa.int64()), [[1, 2], [3], [4]], {}),
    "list<list<int64>>": (lambda: pa.list_(pa.list_(pa.int64())), [[[1, 2], [3]], [[4]], [[5, 6], [7]]], {"null within": [[1], None], "null deep within": [[1, None]], "empty": [], "empty within": [[], [1]]}), "list<list<string>>": (lambda: pa.list_(pa.list_(pa.string())), [[["a", "b"], ["c"]], [["d"]]], {"null deep within": [["a", None]]}),
    "list<list<double>>": (lambda: pa.list_(pa.list_(pa.float64())), [[[0.5, 1.0]], [[2.0]]], {"null deep within": [[0.5, None]]}), "list<list<list<int64>>>": (lambda: pa.list_(pa.list_(pa.list_(pa.int64()))), [[[[1], [2]], [[3]]]], {}),
    "list<list<timestamp[us]>>": (lambda: pa.list_(pa.list_(pa.timestamp("us"))), [[TIMES[:2]], [TIMES[2:]]], {}),
    "struct<a: int64, b: string>": (lambda: pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": "x"}, {"a": 2, "b": ""}, {"a": 3, "b": "é"}], {"null within": {"a": None, "b": "x"}, "nulls within": {"a": None, "b": None}}),
    "struct<many>": (lambda: pa.struct([("f", pa.float64()), ("g", pa.float32()), ("t", pa.bool_()), ("d", pa.decimal128(9, 2)), ("y", pa.binary())]), [{"f": 0.5, "g": 0.1, "t": True, "d": Decimal("1.50"), "y": b"\xff"}], {}),
    "struct<int32>": (lambda: pa.struct([("a", pa.int32()), ("u", pa.uint64())]), [{"a": 1, "u": 2}], {}), "struct<timestamp[us]>": (lambda: pa.struct([("a", pa.timestamp("us"))]), [{"a": T}], {"null within": {"a": None}}), "struct<timestamp[us, UTC]>": (lambda: pa.struct([("a", pa.timestamp("us", "UTC"))]), [{"a": T.replace(tzinfo=UTC)}], {}), "struct<date32>": (lambda: pa.struct([("a", pa.date32())]), [{"a": DAYS[0]}], {}),
    "struct<list<int64>>": (lambda: pa.struct([("a", pa.list_(pa.int64()))]), [{"a": [1, 2]}, {"a": [3]}], {"null within": {"a": [1, None]}, "empty": {"a": []}}), "struct<struct<a: int64>>": (lambda: pa.struct([("s", pa.struct([("a", pa.int64())]))]), [{"s": {"a": 1}}, {"s": {"a": 2}}], {"null within": {"s": None}}), "struct<list<struct>>": (lambda: pa.struct([("s", pa.list_(pa.struct([("a", pa.int64())])))]), [{"s": [{"a": 1}]}], {}),
    "map<string, int64>": (lambda: pa.map_(pa.string(), pa.int64()), [[("a", 1), ("b", 2)], [("c", 3)], [("é", -1)]], {"null within": [("a", None)], "empty": [], "repeated": [("a", 1), ("a", 2)]}), "map<string, string>": (lambda: pa.map_(pa.string(), pa.string()), [[("a", "x")], [("b", "")]], {}), "map<int64, string>": (lambda: pa.map_(pa.int64(), pa.string()), [[(1, "x")], [(2, "y")]], {}), "map<string, double>": (lambda: pa.map_(pa.string(), pa.float64()), [[("a", 0.5)], [("b", 1.0)]], {"nan": [("a", math.nan)]}),
    "list<struct<a: int64>>": (lambda: pa.list_(pa.struct([("a", pa.int64())])), [[{"a": 1}, {"a": 2}], [{"a": 3}]], {"null within": [{"a": None}], "null among its elements": [None], "empty": []}), "list<map<string, int64>>": (lambda: pa.list_(pa.map_(pa.string(), pa.int64())), [[[("a", 1)]], [[("b", 2)]]], {}),
    "dictionary<string>": (lambda: pa.dictionary(pa.int32(), pa.string()), ["a", "b c", "a"], WRITTEN), "dictionary<int64>": (lambda: pa.dictionary(pa.int32(), pa.int64()), [1, -5, 1], {"beyond a double": 9007199254740993}), "dictionary<double>": (lambda: pa.dictionary(pa.int32(), pa.float64()), [0.5, -1.25, 0.5], {}), "dictionary<timestamp[us]>": (lambda: pa.dictionary(pa.int32(), pa.timestamp("us")), [TIMES[0], TIMES[2]], {}), "dictionary<binary>": (lambda: pa.dictionary(pa.int32(), pa.binary()), [b"a", b"\xff"], {}), "dictionary<decimal128(9,2)>": (lambda: pa.dictionary(pa.int32(), pa.decimal128(9, 2)), [Decimal("12.30"), Decimal("7.00")], {}), "dictionary<bool>": (lambda: pa.dictionary(pa.int32(), pa.bool_()), [True, False], {}), "dictionary<date32>": (lambda: pa.dictionary(pa.int32(), pa.date32()), DAYS[:2], {}),
    "null": (pa.null, [None, None], {}),
    "list<dictionary<string>>": (lambda: pa.list_(pa.dictionary(pa.int32(), pa.string())), [["a", "b"], ["a"]], {"null within": ["a", None]}), "large_list<string>": (lambda: pa.large_list(pa.string()), [["a", "b"], ["c"]], {"null within": ["a", None]}), "fixed_size_list<string>[2]": (lambda: pa.list_(pa.string(), 2), [["a", "b"], ["c", "d"]], {"null within": ["a", None]}),
    "list<decimal256(50,2)>": (lambda: pa.list_(pa.decimal256(50, 2)), [[Decimal("12.30")], [Decimal("7.00")]], {}), "list<fixed_size_binary[4]>": (lambda: pa.list_(pa.binary(4)), [[b"abcd"], [b"\0\xff\0\0"]], {}), "list<time32[ms]>": (lambda: pa.list_(pa.time32("ms")), [[dt.time(3, 4, 5)]], {}), "list<date64>": (lambda: pa.list_(pa.date64()), [DAYS[:2]], {}), "list<uint16>": (lambda: pa.list_(pa.uint16()), [[1, 2]], {}), "list<large_binary>": (lambda: pa.list_(pa.large_binary()), [[b"a", b"\xff"]], {}), "list<string_view>": (lambda: pa.list_(pa.string_view()), [["a", "b"]], {}),
    "map<string, list<int64>>": (lambda: pa.map_(pa.string(), pa.list_(pa.int64())), [[("a", [1, 2])]], {}), "map<string, struct<a: int64>>": (lambda: pa.map_(pa.string(), pa.struct([("a", pa.int64())])), [[("a", {"a": 1})]], {}), "struct<map<string, int64>>": (lambda: pa.struct([("m", pa.map_(pa.string(), pa.int64()))]), [{"m": [("a", 1)]}], {}), "struct<duration[us]>": (lambda: pa.struct([("d", pa.duration("us"))]), [{"d": dt.timedelta(seconds=5)}], {}), "struct<time64[us]>": (lambda: pa.struct([("t", pa.time64("us"))]), [{"t": dt.time(3, 4, 5)}], {}),
    "struct<dictionary<string>>": (lambda: pa.struct([("a", pa.dictionary(pa.int32(), pa.string()))]), [{"a": "x"}], {}), "dictionary<large_string>": (lambda: pa.dictionary(pa.int32(), pa.large_string()), ["a", "b"], WRITTEN), "dictionary<uint64>": (lambda: pa.dictionary(pa.int32(), pa.uint64()), [1, 2**64 - 1], {}), "dictionary<float>": (lambda: pa.dictionary(pa.int32(), pa.float32()), [0.5, 0.1], {}), "dictionary<time64[us]>": (lambda: pa.dictionary(pa.int32(), pa.time64("us")), [dt.time(3, 4, 5)], {}),
    "struct<list<timestamp[us]>>": (lambda: pa.struct([("a", pa.list_(pa.timestamp("us")))]), [{"a": TIMES[:2]}], {"null within": {"a": [TIMES[2], None]}}),
}


def invalid(kind: pa.DataType) -> pa.Array:
    """One text whose bytes are not UTF-8."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer((0).to_bytes(4, "little") + (2).to_bytes(4, "little")), pa.py_buffer(b"a\xff")])


def array(values: list, kind: pa.DataType) -> pa.Array:
    if isinstance(kind, pa.DictionaryType):
        return pa.array(values, kind.value_type).dictionary_encode()
    if isinstance(kind, pa.BaseExtensionType):
        stored = [v.bytes if isinstance(v, uuid.UUID) else v for v in values]
        return pa.ExtensionArray.from_storage(kind, pa.array(stored, kind.storage_type))
    if pa.types.is_struct(kind) and isinstance(kind.field(0).type, pa.DictionaryType):
        return pa.StructArray.from_arrays([array([row and row["a"] for row in values], kind.field(0).type)], ["a"], mask=pa.array([row is None for row in values]))
    if pa.types.is_list(kind) and isinstance(kind.value_type, (pa.BaseExtensionType, pa.DictionaryType)):
        flat = [v for row in values for v in (row or [])]
        ends = [0]
        for row in values:
            ends.append(ends[-1] + len(row or []))
        mask = pa.array([row is None for row in values])
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), array(flat, kind.value_type), mask=mask)
    return pa.array(values, kind)


def parquet() -> list[Case]:
    cases = []
    for name, (make, ordinary, nasty) in ARROW.items():
        kind = make()
        cases.append(Case(name, "ordinary", array(ordinary, kind)))
        if name != "null":
            cases.append(Case(name, "null among", array([ordinary[0], None, ordinary[-1]], kind)))
            cases.append(Case(name, "nulls alone", array([None, None], kind)))
        cases += [Case(name, title, array([value], kind)) for title, value in nasty.items()]
        for file in WRITING if pa.types.is_timestamp(kind) or name.startswith("list") else ["bare"]:
            if file and (file != "int96" or "timestamp" in name and "list" not in name) and (file != "list of items" or "list" in name):
                cases.append(Case(f"{name} ({file})", "ordinary", array(ordinary, kind), file))
    inner = invalid(pa.string())
    cases.append(Case("string", "invalid UTF-8", inner))
    cases.append(Case("list<string>", "invalid UTF-8", pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), inner)))
    cases.append(Case("dictionary<string>", "invalid UTF-8", pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), inner)))
    cases.append(Case("struct<string>", "invalid UTF-8", pa.StructArray.from_arrays([inner], ["a"])))
    cases.append(Case("map<string, int64>", "invalid UTF-8", pa.MapArray.from_arrays(pa.array([0, 1], pa.int32()), inner, pa.array([1]))))
    return cases
