from feast.types import Entity

e = Entity(name="e")
