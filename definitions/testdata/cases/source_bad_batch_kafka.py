from feast import AthenaSource, BigQuerySource, OracleSource, RedshiftSource, SnowflakeSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast import BatchFeatureView, PushSource
source = BatchFeatureView(name="v", source=PushSource(name="p", batch_source=RedshiftSource(table="t")))
