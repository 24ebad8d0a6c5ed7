from feast import Entity

deep = Entity(name="deep")
