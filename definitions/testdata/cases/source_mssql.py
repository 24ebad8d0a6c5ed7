from feast import BatchFeatureView, Entity, FeatureView, Field, ValueType
from feast.credentials import ConnectionRef
from feast.infra.offline_stores.contrib.mssql_offline_store.mssqlserver_source import MsSqlServerSource
from feast.types import Int64

short = MsSqlServerSource(name="short")
placed = MsSqlServerSource("placed", "dbo.t", "ts", "created", {"a": "b"}, "day", "mssql+pyodbc://é", "d", {"t": "1"}, "o")
referred = MsSqlServerSource(name="referred", table_ref="t", connection_str=None, tags={"t": "1"}, connection_ref=ConnectionRef("env", "MS"))
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(
    name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=placed, tags=placed.tags,
    description=f"{short.table_ref} {placed.table_ref} {placed.description} {placed.owner} {placed.timestamp_field}",
)
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=placed)
