from feast import Entity

e = Entity(name="in_ignored_of_deep")
