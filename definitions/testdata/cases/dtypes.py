from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource
from feast.types import (
    Array, Bool, Bytes, Decimal, Float32, Float64, ImageBytes, Int32, Int64, Invalid, Json, Map, PdfBytes, ScalarMap, Set, String,
    Struct, TimeUuid, UnixTimestamp, Uuid, ZonedTimestamp,
)

scalars = [Bool, Bytes, Decimal, Float32, Float64, ImageBytes, Int32, Int64, Invalid, Json, Map, PdfBytes, ScalarMap, String, TimeUuid,
           UnixTimestamp, Uuid, ZonedTimestamp]
arrays = [Bool, Bytes, Decimal, Float32, Float64, Int32, Int64, Json, Map, String, TimeUuid, UnixTimestamp, Uuid]
sets = [Bool, Bytes, Decimal, Float32, Float64, Int32, Int64, String, TimeUuid, UnixTimestamp, Uuid]

address = Struct({"street": String, "zip": Int64, "tags": Array(String)})
nested = {
    "struct": address,
    "structs": Array(address),
    "deep": Struct({"inner": Struct({"x": Int32, "größe": Set(Bool)}), "list": Array(Struct({"y": Bytes}))}),
    "array_array": Array(Array(Int64)),
    "array_set": Array(Set(String)),
    "set_array": Set(Array(Float32)),
    "set_set": Set(Set(Uuid)),
    "array3": Array(Array(Array(Bool))),
    "array_array_struct": Array(Array(Struct({"a": Int64}))),
}

schema = [Field(name=f"s{i}", dtype=t) for i, t in enumerate(scalars)]
schema += [Field(name=f"a{i}", dtype=Array(t)) for i, t in enumerate(arrays)]
schema += [Field(name=f"t{i}", dtype=Set(t)) for i, t in enumerate(sets)]
schema += [Field(name=n, dtype=t, tags={"own": "tag"}) for n, t in nested.items()]

view = FeatureView(
    name="types",
    entities=[Entity(name="id")],
    ttl=timedelta(hours=1),
    schema=schema,
    source=FileSource(path="x.parquet", timestamp_field="ts"),
)
