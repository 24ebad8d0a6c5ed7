import feast

e = feast.Entity(name="e")
v = feast.FeatureVeiw(name="v", entities=[e])
