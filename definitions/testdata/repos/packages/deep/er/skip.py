from feast import Entity

e = Entity(name="ignored")
