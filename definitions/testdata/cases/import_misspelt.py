from feast import Entity, FeatureVeiw

e = Entity(name="e")
v = FeatureVeiw(name="v", entities=[e])
