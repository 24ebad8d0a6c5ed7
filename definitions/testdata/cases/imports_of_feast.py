from feast.types import *
from feast.value_type import ValueType as again

try:
    from feast import SparkSource
except ImportError:
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
try:
    from feast.types import Entity, Field
    where = "types"
except ImportError:
    from feast import Entity, Field
    where = "feast"
from feast import FeatureView, types
from feast.infra.offline_stores.contrib import trino_offline_store
import feast

try:
    feast.ClickhouseSource
    where += " clickhouse"
except AttributeError:
    where += " none"
e = Entity(name="e", value_type=ValueType.INT64, description=where + str(again is ValueType) + str(hasattr(feast, "Array")) + str(hasattr(types, "Array")))
v = FeatureView(name="v", entities=[e], schema=[Field(name="x", dtype=types.Array(Int64))], source=SparkSource(table="t", timestamp_field="ts"))
w = feast.FeatureView(name="w", entities=[e], schema=[feast.Field(name="x", dtype=String)], source=feast.RedshiftSource(table="t", timestamp_field="ts"))
