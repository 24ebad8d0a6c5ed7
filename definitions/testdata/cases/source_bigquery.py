from feast import BatchFeatureView, BigQuerySource, Entity, FeatureService, FeatureView, Field, PushSource, ValueType
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.bigquery_source import BigQueryLoggingDestination
from feast.types import Int64

by_table = BigQuerySource(table="project.set.table", timestamp_field="ts")
by_query = BigQuerySource(name="q", query="SELECT * FROM `p.d.t`", timestamp_field=None)
full = BigQuerySource(
    name="full", table="p.d.t", query="SELECT 1", timestamp_field="day", timestamp_field_type="DATE", date_partition_column="part",
    created_timestamp_column="created", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o",
)
e = Entity(name="e", value_type=ValueType.INT64)
schema = [Field(name="x", dtype=Int64)]
view = FeatureView(name="v", entities=[e], schema=schema, source=full, description=full.table + full.query + full.date_partition_column + full.timestamp_field_type)
push = PushSource(name="push", batch_source=full)
pushed = FeatureView(name="pushed", entities=[e], schema=schema, source=push)
batch = BatchFeatureView(name="batch", entities=[e], schema=schema, source=by_table)
service = FeatureService(
    name="s", features=[view, pushed], logging_config=LoggingConfig(destination=BigQueryLoggingDestination(table_ref="p.d.logs"), sample_rate=0.5),
)
