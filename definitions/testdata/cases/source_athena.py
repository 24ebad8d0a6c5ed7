from feast import AthenaSource, BatchFeatureView, Entity, FeatureService, FeatureView, Field, ValueType
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaLoggingDestination
from feast.types import Int64

by_table = AthenaSource(table="t", timestamp_field="ts", data_source="AwsDataCatalog")
by_query = AthenaSource(name="q", query="SELECT 1")
full = AthenaSource(
    name="full", table="t", query="SELECT 1", database="db", data_source="src", timestamp_field="ts", created_timestamp_column="c",
    date_partition_column="day", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o",
)
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(
    name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=full,
    description="/".join([by_table.database, by_query.database, full.data_source, full.table, by_table.query, full.owner]),
)
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_query)
service = FeatureService(name="s", features=[view], logging_config=LoggingConfig(destination=AthenaLoggingDestination(table_name="logs")))
