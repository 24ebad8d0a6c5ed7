from feast import BatchFeatureView, Entity, FeatureService, FeatureView, Field, ValueType
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.contrib.couchbase_offline_store.couchbase_source import CouchbaseColumnarLoggingDestination, CouchbaseColumnarSource
from feast.types import Int64

by_collection = CouchbaseColumnarSource(collection="t", timestamp_field="ts")
by_query = CouchbaseColumnarSource("q", "SELECT 1", "D", None, timestamp_field="ts", created_timestamp_column="c", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o")
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_collection, description=by_collection.database + by_query.scope)
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=by_query)
service = FeatureService(
    name="s", features=[view], logging_config=LoggingConfig(destination=CouchbaseColumnarLoggingDestination(database="d", scope="s", table_name="logs")),
)
