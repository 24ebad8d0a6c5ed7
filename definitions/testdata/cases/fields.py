from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float32, Int64, String

entity = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
other = Entity(name="item")
view = FeatureView(
    name="v",
    entities=[entity, other],
    schema=[
        Field(name="user_id", dtype=Int64, description="key", tags={"pii": "yes"}),
        Field(name="a", dtype=String, description="Beschreibung", tags={"x": "y"}),
        Field(name="emb", dtype=Array(Float32), vector_index=True, vector_length=8, vector_search_metric="cosine"),
        Field(name="item", dtype=String),
        Field(name="n", dtype=Int64),
    ],
    source=FileSource(path="x.parquet", timestamp_field="ts", created_timestamp_column="created"),
)
