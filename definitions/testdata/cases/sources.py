from datetime import timedelta
from pathlib import Path

from feast import FileSource, KafkaSource, KinesisSource, PushSource, RequestSource, Field
from feast.data_format import AvroFormat, DeltaFormat, JsonFormat, ParquetFormat, ProtoFormat
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Int64, String

plain = FileSource(path="data/x.parquet")
full = FileSource(
    name="full", path="s3://bucket/x.parquet", timestamp_field="ts", created_timestamp_column="created", file_format=ParquetFormat(),
    field_mapping={"a": "b"}, s3_endpoint_override="http://localhost:9000", description="d", tags={"t": "1"}, owner="o",
)
delta = FileSource(name="delta", path="d", file_format=DeltaFormat())
old_time = FileSource(name="old", path="o", event_timestamp_column="ets")
located = FileSource(name="located", path=str(Path(__file__).parent / "data" / "x.parquet"))
absolute = FileSource(name="absolute", path=str(Path("data").resolve()))
by_table = PostgreSQLSource(table="public.t", timestamp_field="ts")
by_name = PostgreSQLSource(name="named", table="t")
by_query = PostgreSQLSource("positional", "SELECT 1 /* <&> \\ \" \u007f \t */", timestamp_field="ts", created_timestamp_column="c")
empty = PostgreSQLSource(name="only a name")
pg_full = PostgreSQLSource(name="pgf", table="t", field_mapping={"x": "y"}, description="d", tags={"k": "v"}, owner="o")
push = PushSource(name="push", batch_source=full, description="p", tags={"x": "y"}, owner="o")
push_pg = PushSource(name="push_pg", batch_source=by_table)
push_bare = PushSource(name="push_bare")
push_inline = PushSource(name="push_inline", batch_source=FileSource(name="inline", path="i"))
kafka = KafkaSource(
    name="kafka", timestamp_field="ts", message_format=AvroFormat(schema_json='{"type": "record"}'), kafka_bootstrap_servers="a:9092,b:9092",
    topic="t", created_timestamp_column="c", field_mapping={"a": "b"}, description="d", tags={"a": "b"}, owner="o", batch_source=full,
    watermark_delay_threshold=timedelta(minutes=5),
)
kafka_old = KafkaSource(name="kafka_old", timestamp_field="ts", message_format=JsonFormat("{}"), bootstrap_servers="old:9092")
kinesis = KinesisSource(
    name="kinesis", record_format=ProtoFormat("com.example.Row"), region="eu-west-1", stream_name="s", timestamp_field="ts", batch_source=push.batch_source,
)
request = RequestSource(name="request", schema=[Field(name="a", dtype=Int64), Field(name="b", dtype=String)], description="r", tags={"q": "r"}, owner="o")
timed_request = RequestSource(name="timed", schema=[], timestamp_field="ts")
