from feast import BatchFeatureView, Entity, FeatureView, Field, OracleSource, ValueType
from feast.types import Int64

short = OracleSource("short")
full = OracleSource(
    name="full", table_ref="ML.DRIVERS", event_timestamp_column="ts", created_timestamp_column="c", field_mapping={"a": "b"}, date_partition_column="day",
    description="d", tags={"t": "1"}, owner="o",
)
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full, description=f"{short.table_ref} {full.table_ref} {full.owner}")
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full)
