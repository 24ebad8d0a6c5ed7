from feast import Entity

e = Entity(name="e", join_keys=["a", "b"])
