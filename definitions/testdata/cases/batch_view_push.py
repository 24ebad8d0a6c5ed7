from feast import BatchFeatureView, FileSource, PushSource

view = BatchFeatureView(name="v", source=PushSource(name="p", batch_source=FileSource(path="x")))
