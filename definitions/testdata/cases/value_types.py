from feast import Entity, ValueType

entities = {t.name: Entity(name=t.name.lower(), value_type=t) for t in ValueType if t != ValueType.UNKNOWN}
globals().update(entities)
unknown = Entity(name="unknown", value_type=ValueType.UNKNOWN)
number = ValueType(4)
fourth = Entity(name="fourth" + str(ValueType.INT64.value) + ValueType.STRING.name, value_type=number)
