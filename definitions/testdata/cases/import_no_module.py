from feast.entities import Entity

e = Entity(name="e")
