from feast import BatchFeatureView, Entity, FeatureService, FeatureView, Field, SnowflakeSource, ValueType
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.snowflake_source import SnowflakeLoggingDestination
from feast.types import Int64

by_table = SnowflakeSource(table="T", timestamp_field="ts")
in_database = SnowflakeSource(name="db", database="D", table="T", timestamp_field="ts")
in_schema = SnowflakeSource(name="sc", database="D", schema="S", table="T", warehouse="W")
by_query = SnowflakeSource(name="q", database="D", query="SELECT 1")
queried_schema = SnowflakeSource(name="qs", schema="S", query="SELECT 1", table="")
full = SnowflakeSource(
    name="full", database="D", schema="S", table="T", timestamp_field="ts", created_timestamp_column="c", field_mapping={"a": "b"}, description="d",
    tags={"t": "1"}, owner="o",
)
e = Entity(name="e", value_type=ValueType.INT64)
schema = [Field(name="x", dtype=Int64)]
view = FeatureView(name="v", entities=[e], schema=schema, source=in_database, description="/".join([in_database.database, in_database.schema, in_database.table, in_database.query]))
batch = BatchFeatureView(name="batch", entities=[e], schema=schema, source=by_query)
service = FeatureService(name="s", features=[view], logging_config=LoggingConfig(destination=SnowflakeLoggingDestination(table_name="logs")))
