from feast import FeatureView, FileSource

base = FeatureView(name="base", source=FileSource(path="x.parquet", timestamp_field="ts"))
view = FeatureView(name="v", source=base)
