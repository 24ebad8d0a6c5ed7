from feast import BatchFeatureView, Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.ray_offline_store.ray_source import RaySource
from feast.types import Int64

options = {"dataset_name": "org/ä", "split": "test", "n": 3, "deep": {"list": [1, 2.5, None, True]}}
short = RaySource(name="short", reader_type="parquet", path="s3://b/x", timestamp_field="ts")
full = RaySource(
    name="full", reader_type="huggingface", reader_options=options, timestamp_field="ts", created_timestamp_column="c", field_mapping={"a": "b"},
    description="d", tags={"t": "1"}, owner="o",
)
options["later"] = "yes"
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full, description=f"{short.reader_type} {short.path} {short.reader_options} {full.reader_options['split']} {full.path}|")
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full)
