from feast import Entity, FeatureView, FileSource

view = FeatureView(
    name="v",
    entities=[Entity(name="a", join_keys=["id"]), Entity(name="b", join_keys=["id"])],
    source=FileSource(path="x.parquet", timestamp_field="ts"),
)
