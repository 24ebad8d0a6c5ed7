from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int32

view = FeatureView(
    name="v",
    entities=[Entity(name="id", value_type=ValueType.INT64)],
    schema=[Field(name="id", dtype=Int32)],
    source=FileSource(path="x.parquet", timestamp_field="ts"),
)
