from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource
from feast.types import Array, Int64, String

e = Entity(name="e", join_keys=["e_id"], description="d", tags={"a": "b"})
s = FileSource(name="s", path="p", timestamp_field="ts", created_timestamp_column="c", tags={"x": "y"})
v = FeatureView(name="v", entities=[e], source=s, schema=[Field(name="e_id", dtype=Int64), Field(name="f", dtype=Array(String))], tags={"t": "u"}, description="vd")
w = FeatureView(
    name=v.name + "_" + e.join_key + "_" + s.name + "_" + v.features[0].name,
    entities=[e], source=PushSource(name=f"{s.name}_push", batch_source=v.batch_source), schema=[Field(name=f.name, dtype=f.dtype) for f in v.features],
    tags={**v.tags, **e.tags}, description=v.description + e.description + s.timestamp_field, ttl=v.ttl, online=v.online, owner=v.owner,
)
x = FeatureView(name=",".join(w.entities), source=w.stream_source.batch_source, schema=list(w.features), tags=dict(s.tags))
names = [f.name for f in v.entity_columns]
y = FeatureService(name="+".join(names), features=[v], description=w.stream_source.name + s.path)
