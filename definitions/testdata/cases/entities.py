from feast import Entity, ValueType

plain = Entity(name="plain")
keyed = Entity(name="keyed", join_keys=["key_id"], value_type=ValueType.INT64, description="d", tags={"a": "b"}, owner="o")
text = Entity(name="text", value_type=ValueType.STRING)
stamped = Entity(name="stamped", value_type=ValueType.UNIX_TIMESTAMP)
same = keyed
twin = Entity(name="keyed", join_keys=["key_id"], value_type=ValueType.INT64, description="d", tags={"a": "b"}, owner="o")
