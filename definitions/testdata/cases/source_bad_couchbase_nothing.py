from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.infra.offline_stores.contrib.couchbase_offline_store.couchbase_source import CouchbaseColumnarSource
source = CouchbaseColumnarSource(query="SELECT 1")
