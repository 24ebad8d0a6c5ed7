from feast import Entity, FeatureView, FileSource

kwargs = dict(name="v", source=FileSource(path="x.parquet", timestamp_field="ts"))
kwargs.update(tags=None)
view = FeatureView(**kwargs)
