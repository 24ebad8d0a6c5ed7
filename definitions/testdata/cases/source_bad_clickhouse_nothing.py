from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source import ClickhouseSource
source = ClickhouseSource(query="SELECT 1")
