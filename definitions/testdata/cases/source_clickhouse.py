from feast import BatchFeatureView, Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source import ClickhouseSource
from feast.types import Int64

by_table = ClickhouseSource(table="default.t", timestamp_field="ts")
by_query = ClickhouseSource("q", "SELECT '한국' /* \\ \" */", timestamp_field="ts", created_timestamp_column="c", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o")
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_table)
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_query)
