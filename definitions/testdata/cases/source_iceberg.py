from feast import Entity, FeatureView, Field, ValueType
from feast.infra.data_sources.contrib.iceberg_catalog.iceberg_source import IcebergSource
from feast.types import Int64

properties = {"region": "eu-west-1"}
short = IcebergSource(warehouse="w", namespace="n", table="t", timestamp_field="ts")
full = IcebergSource(
    name="full", warehouse="w", namespace="n", table="t", catalog_type="glue", catalog_name="c", endpoint="http://catalog", catalog_properties=properties,
    timestamp_field="ts", created_timestamp_column="created", field_mapping={"a": "b"}, description="d", tags={"t": "1"}, owner="o", token_env_var="TOKEN",
    credential_vending=False,
)
properties["later"] = "yes"
view = FeatureView(
    name="v", entities=[Entity(name="e", value_type=ValueType.INT64)], schema=[Field(name="x", dtype=Int64)], source=full,
    description=f"{short.fqn} {full.iceberg_table} {short.catalog_type} {full.endpoint} {short.token_env_var}",
)
