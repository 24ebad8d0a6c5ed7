from datetime import timedelta

from feast import Entity, FileSource, LabelView, PushSource, ValueType
from feast import ConflictPolicy, Field
from feast.labeling.conflict_policy import ConflictPolicy as CP
from feast.types import Int64, String

e = Entity(name="e", join_keys=["e_id"], value_type=ValueType.INT64)
f = Entity(name="f")
source = FileSource(path="x", timestamp_field="ts")
push = PushSource(name="push", batch_source=source)
plain = LabelView(name="plain", entities=[e], source=push, schema=[Field(name="e_id", dtype=Int64), Field(name="label", dtype=String)])
filled = LabelView(name="filled", entities=[e, f], source=source, schema=[Field(name="label", dtype=String)])
full = LabelView(
    name="full", entities=[f], source=push, schema=[Field(name="label", dtype=String), Field(name="who", dtype=String)], ttl=timedelta(days=3), online=False,
    description="d", tags={"a": "b"}, owner="o", labeler_field="who", conflict_policy=ConflictPolicy.MAJORITY_VOTE, reference_feature_view="other",
)
priority = LabelView(name="priority", entities=[f], schema=[Field(name="label", dtype=String)], conflict_policy=CP.LABELER_PRIORITY, ttl=None)
entityless = LabelView(name="entityless", schema=[Field(name="label", dtype=String)])
