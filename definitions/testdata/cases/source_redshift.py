from datetime import timedelta

from feast import BatchFeatureView, Entity, FeatureService, FeatureView, Field, KafkaSource, LabelView, PushSource, RedshiftSource, ValueType
from feast.credentials import ConnectionRef
from feast.data_format import JsonFormat
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.redshift_source import RedshiftLoggingDestination
from feast.types import Int64

by_table = RedshiftSource(table="spectrum.drivers", timestamp_field="ts")
by_query = RedshiftSource(name="q", query="SELECT 'ä', 1 FROM t\n", timestamp_field="ts", created_timestamp_column="c")
full = RedshiftSource(
    name="full", table="drivers", schema="ml", query="SELECT 1", database="dev", timestamp_field="ts", created_timestamp_column="created",
    field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o", connection_ref=ConnectionRef("env", "RS", connection_type="redshift"),
)
empty_schema = RedshiftSource(name="", table="t2", schema="", database=None, query=None)
query_with_schema = RedshiftSource(name="qs", query="SELECT 2", schema="s", table="")
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
schema = [Field(name="trips", dtype=Int64)]
view = FeatureView(name="drivers", entities=[driver], ttl=timedelta(days=1), schema=schema, source=by_table, tags={"seen": by_table.schema + by_query.schema + full.database})
pushed = FeatureView(name="pushed", entities=[driver], schema=schema, source=PushSource(name="push", batch_source=full))
streamed = FeatureView(
    name="streamed", entities=[driver], schema=schema,
    source=KafkaSource(name="kafka", timestamp_field="ts", message_format=JsonFormat("trips int"), batch_source=by_query),
)
batch = BatchFeatureView(name="batch", entities=[driver], schema=schema, source=by_query, mode="python", udf=None)
labels = LabelView(name="labels", entities=[driver], schema=[Field(name="labeler", dtype=Int64)], source=by_query)
named = FeatureView(name=f"{by_table.table}_{by_query.query}".replace(" ", "")[:20], entities=[driver], schema=schema, source=full,
                    description=str(by_table.query == "") + str(by_query.table == "") + str(full.connection_ref is None) + by_table.date_partition_column)
service = FeatureService(name="s", features=[view, pushed[["trips"]]], logging_config=LoggingConfig(destination=RedshiftLoggingDestination(table_name="logs")))
