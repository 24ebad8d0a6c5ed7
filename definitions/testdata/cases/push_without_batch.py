from feast import FeatureView, PushSource

view = FeatureView(name="v", source=PushSource(name="p"))
