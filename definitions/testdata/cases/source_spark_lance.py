from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.table_format import LanceFormat
from feast.types import Int64

properties = {"a": "b"}
pinned = LanceFormat(catalog="c", namespace="n", version=3, properties=properties)
tagged = LanceFormat(tag="candidate")
tagged.set_property("x", "y")
s1 = SparkSource(name="pinned", path="p", timestamp_field="ts", table_format=pinned)
s2 = SparkSource(name="tagged", path="p", timestamp_field="ts", table_format=tagged)
s3 = SparkSource(name="plain", path="p", timestamp_field="ts", table_format=LanceFormat())
text = f"{pinned.version} {pinned.tag} {pinned.catalog} {pinned.is_pinned} {tagged.version} {tagged.tag} {tagged.is_pinned} {LanceFormat().is_pinned} {properties}"
view = FeatureView(name="v", entities=[Entity(name="e", value_type=ValueType.INT64)], schema=[Field(name="x", dtype=Int64)], source=s1, description=text)
