from feast import Entity, FeatureView, Field, FileSource
from feast.types import Int64

common = {"team": "a"}
mapping = {"x": "y"}
source = FileSource(path="p", timestamp_field="ts", field_mapping=mapping, tags=common)
fields = [Field(name="a", dtype=Int64, tags=common)]
first = FeatureView(name="first", source=source, schema=fields, tags=common)
common["tier"] = "1"
mapping["z"] = "w"
fields.append(Field(name="b", dtype=Int64))
second = FeatureView(name="second", source=source, schema=fields, tags={**common, "own": "2"})
e = Entity(name="e", tags=common)
