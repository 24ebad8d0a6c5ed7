from feast import Entity, FeatureView, Field, FileSource
from feast.types import Int64

view = FeatureView(
    name="v",
    entities=[Entity(name="id")],
    schema=[Field(name="raw", dtype=Int64)],
    source=FileSource(path="x.parquet", timestamp_field="ts", field_mapping={"raw": "cooked"}),
)
