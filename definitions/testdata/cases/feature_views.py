from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Int64
from feast.transformation.mode import TransformationMode

e = Entity(name="id")
f = FileSource(path="x.parquet", timestamp_field="ts")
entityless = FeatureView(name="entityless", source=f, schema=[Field(name="a", dtype=Int64)])
bare = FeatureView(name="bare", entities=[e], source=f)
sourceless = FeatureView(name="sourceless", entities=[e], schema=[Field(name="a", dtype=Int64)])
no_ttl = FeatureView(name="no_ttl", entities=[e], source=f, ttl=None)
zero_ttl = FeatureView(name="zero_ttl", entities=[e], source=f, ttl=timedelta(0))
odd_ttl = FeatureView(name="odd_ttl", entities=[e], source=f, ttl=timedelta(days=3650, hours=5, microseconds=7))
long_ttl = FeatureView(name="long_ttl", entities=[e], source=f, ttl=timedelta(days=365000))
full = FeatureView(
    name="full",
    entities=[e],
    source=PostgreSQLSource(name="pg", query='SELECT * FROM "t" WHERE x = \'é\' -- \U0001F600', timestamp_field="ts"),
    schema=[Field(name="id", dtype=Int64), Field(name="a", dtype=Int64)],
    ttl=timedelta(days=1),
    online=False,
    offline=True,
    description="all of it",
    tags={"a": "b"},
    owner="o",
    org="ads",
    mode="pandas",
    enable_validation=True,
    version="v3",
    enabled=False,
)
mode_enum = FeatureView(name="mode_enum", entities=[e], source=f, mode=TransformationMode.SPARK_SQL)
no_entities = FeatureView(name="no_entities", entities=[], source=f, schema=[], tags={}, description="")
derived = FeatureView(name="derived", entities=[e], source=[bare, full], sink_source=f, schema=[Field(name="b", dtype=Int64)])
derived_one = FeatureView(name="derived_one", entities=[e], source=derived, sink_source=f)
