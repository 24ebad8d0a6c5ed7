from feast import Entity, FeatureView, Field, FileSource
from feast.types import *

view = FeatureView(
    name="v",
    entities=[Entity(name="id")],
    schema=[Field(name="f", dtype=Array(PdfBytes))],
    source=FileSource(path="x.parquet", timestamp_field="ts"),
)
