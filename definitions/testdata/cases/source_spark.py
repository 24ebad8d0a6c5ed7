from feast import BatchFeatureView, Entity, FeatureView, Field, PushSource, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.table_format import DeltaFormat, HudiFormat, IcebergFormat
from feast.types import Int64

shared = {"warehouse": "s3://lake"}
by_table = SparkSource(table="hive.drivers", timestamp_field="ts")
by_query = SparkSource(name="q", query="SELECT 1", timestamp_field="ts", created_timestamp_column="c")
by_path = SparkSource(
    name="path", path="s3://lake/x", file_format="parquet", timestamp_field="ts", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o",
    date_partition_column="day", date_partition_column_format="%Y%m%d",
)
no_format = SparkSource(name="none", query="SELECT 1", path="s3://lake/y", file_format="avro", date_partition_column_format=None)
iceberg_format = IcebergFormat(catalog="cat", namespace="ns", properties=shared)
iceberg = SparkSource(name="iceberg", path="cat.ns.t", table_format=iceberg_format)
iceberg_format.set_property("snapshot-id", "7")
delta = SparkSource(name="delta", path="s3://lake/d", table_format=DeltaFormat(checkpoint_location="s3://ckpt"))
bare_delta = SparkSource(name="bare_delta", path="s3://lake/d", table_format=DeltaFormat(), file_format="parquet")
hudi = SparkSource(name="hudi", path="s3://lake/h", table_format=HudiFormat("COPY_ON_WRITE", "id", precombine_field="ts", properties=shared))
shared["later"] = "yes"
e = Entity(name="e", value_type=ValueType.INT64)
schema = [Field(name="x", dtype=Int64)]
view = FeatureView(
    name="v", entities=[e], schema=schema, source=by_path,
    description=f"{by_table.query} {by_table.path} {by_table.table} {by_path.file_format} {by_path.date_partition_column} {by_table.date_partition_column_format} {no_format.date_partition_column_format} {by_table.table_format}",
)
pushed = FeatureView(name="pushed", entities=[e], schema=schema, source=PushSource(name="push", batch_source=by_path))
batch = BatchFeatureView(name="batch", entities=[e], schema=schema, source=iceberg)
