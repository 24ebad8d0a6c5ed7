from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.infra.offline_stores.contrib.ray_offline_store.ray_source import RaySource
source = RaySource(name="x", reader_type="sql", reader_options={"a": {1, 2}})
