from feast import BatchFeatureView
from feast.infra.data_sources.contrib.iceberg_catalog.iceberg_source import IcebergSource

source = BatchFeatureView(name="v", source=IcebergSource(warehouse="w", namespace="n", table="t"))
