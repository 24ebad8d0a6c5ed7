from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource

source = RedshiftSource(table=5)
