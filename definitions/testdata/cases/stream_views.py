from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, KafkaSource, PushSource, StreamFeatureView
from feast.aggregation import Aggregation
from feast.data_format import JsonFormat
from feast.types import Float32, Int64

e = Entity(name="id", join_keys=["id"])
batch = FileSource(name="batch", path="x.parquet", timestamp_field="ts", created_timestamp_column="created", field_mapping={"p": "q"})
push = PushSource(name="push", batch_source=batch)
kafka = KafkaSource(name="kafka", timestamp_field="ts", message_format=JsonFormat("{}"), batch_source=batch)
pushed = FeatureView(name="pushed", entities=[e], source=push, schema=[Field(name="id", dtype=Int64), Field(name="a", dtype=Int64)], ttl=timedelta(days=1))
streamed = FeatureView(name="streamed", entities=[e], source=kafka, schema=[Field(name="a", dtype=Int64)])
plain = StreamFeatureView(name="plain", entities=[e], source=kafka, schema=[Field(name="id", dtype=Int64), Field(name="a", dtype=Float32)])
aggregated = StreamFeatureView(
    name="aggregated", entities=[e], source=push, ttl=timedelta(days=30), schema=[Field(name="a", dtype=Float32)],
    timestamp_field="ts",
    aggregations=[
        Aggregation(column="a", function="sum", time_window=timedelta(hours=1)),
        Aggregation(column="a", function="max", time_window=timedelta(days=1), slide_interval=timedelta(minutes=10), name="top"),
        Aggregation("a", "count"),
    ],
    mode="spark", online=False, offline=True, description="d", tags={"a": "b"}, owner="o", org="g", enable_tiling=True, tiling_hop_size=timedelta(minutes=1),
    enable_validation=True, version="v1",
)
