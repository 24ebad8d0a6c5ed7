from feast import BatchFeatureView

view = BatchFeatureView(name="v")
