from feast import Entity

kept = Entity(name="kept_by_its_depth")
