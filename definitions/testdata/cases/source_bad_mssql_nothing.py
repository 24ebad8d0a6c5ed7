from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.infra.offline_stores.contrib.mssql_offline_store.mssqlserver_source import MsSqlServerSource
source = MsSqlServerSource(table_ref="t")
