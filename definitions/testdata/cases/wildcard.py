from feast import *
from feast.types import *

e = Entity(name="e", value_type=ValueType.STRING)
v = FeatureView(name="v", entities=[e], schema=[Field(name="a", dtype=Set(Int32))], source=FileSource(path="p", timestamp_field="t"))
