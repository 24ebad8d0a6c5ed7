from feast import BatchFeatureView, Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.mongodb_offline_store.mongodb import MongoDBSource
from feast.types import Int64

short = MongoDBSource(name="short")
placed = MongoDBSource("placed", "ts", "created", {"a": "b"}, "d", {"t": "1"}, "o")
none = MongoDBSource(name="none", timestamp_field=None, created_timestamp_column=None)
e = Entity(name="e", value_type=ValueType.INT64)
view = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=Int64)], source=placed, description=placed.feature_view_name + short.timestamp_field)
batch = BatchFeatureView(name="batch", entities=[e], schema=[Field(name="x", dtype=Int64)], source=placed)
