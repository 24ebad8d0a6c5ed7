from feast import Entity, FeatureService, FeatureView, Field, FileSource, LabelView, PushSource, StreamFeatureView
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.types import Int64, String

e = Entity(name="id")
source = FileSource(path="x", timestamp_field="ts", created_timestamp_column="c")
a = FeatureView(name="a", entities=[e], source=source, schema=[Field(name=n, dtype=Int64) for n in ("x", "y", "z")])
inferred = FeatureView(name="inferred", entities=[e], source=source)
sourceless = FeatureView(name="sourceless", entities=[e], schema=[Field(name="s", dtype=String)])
stream = StreamFeatureView(name="stream", entities=[e], source=PushSource(name="p", batch_source=source), schema=[Field(name="q", dtype=Int64)])
label = LabelView(name="label", entities=[e], source=source, schema=[Field(name="good", dtype=Int64)])
empty = FeatureService(name="empty", features=[])
one = FeatureService(name="one", features=[a])
full = FeatureService(
    name="full",
    features=[a[["z", "x"]], inferred, inferred[["later"]], sourceless, stream, label],
    tags={"a": "b"}, description="d", owner="o", precompute_online=True,
    logging_config=LoggingConfig(destination=FileLoggingDestination(path="log", s3_endpoint_override="http://s3", partition_by=["day"]), sample_rate=0.5),
)
mapped = FeatureService(
    name="mapped",
    features=[
        a.with_name("origin").with_join_key_map({"id": "origin_id"}),
        a.with_join_key_map({"id": "destination_id"}).with_name("destination")[["y"]],
        a[["x"]].with_name("short"),
    ],
    logging_config=LoggingConfig(FileLoggingDestination(path="log")),
)
twice = FeatureService(name="twice", features=[a, a])
