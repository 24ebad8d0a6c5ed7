from datetime import timedelta

from feast import BatchFeatureView, Entity, FeatureView, Field, FileSource
from feast.aggregation import Aggregation
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.transformation.mode import TransformationMode
from feast.types import Int64

e = Entity(name="id")
source = PostgreSQLSource(name="pg", table="t", timestamp_field="ts")
plain = BatchFeatureView(name="plain", entities=[e], source=source, schema=[Field(name="a", dtype=Int64)])
full = BatchFeatureView(
    name="full", entities=[e], source=FileSource(path="x", timestamp_field="ts"), mode=TransformationMode.PANDAS, ttl=timedelta(days=2), online=True, offline=True,
    description="d", tags={"a": "b"}, owner="o", org="g", schema=[Field(name="id", dtype=Int64)], enable_validation=True, version="v2",
    batch_engine={"cpu": 1},
)
aggregated = BatchFeatureView(name="aggregated", entities=[e], source=source, aggregations=[Aggregation(column="a", function="sum", time_window=timedelta(days=1))])
sql = BatchFeatureView(name="sql", entities=[e], source=source, mode="sql")
