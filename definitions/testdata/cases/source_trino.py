from feast import BatchFeatureView, Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.trino_offline_store.trino_source import TrinoSource
from feast.types import Int64

by_table = TrinoSource(table="hive.default.t", timestamp_field="ts")
by_query = TrinoSource(name="q", query="SELECT 1")
only_name = TrinoSource(name="only a name")
full = TrinoSource(
    name="full", table="t", query="SELECT 1", timestamp_field="ts", created_timestamp_column="c", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o",
)
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full, description=f"{by_table.query} {by_query.table} {full.table}")
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_query)
