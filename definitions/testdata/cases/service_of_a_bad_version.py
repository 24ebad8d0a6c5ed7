from feast import FeatureService, FeatureView, Field
from feast.types import Int64

view = FeatureView(name="v", schema=[Field(name="a", dtype=Int64)], version="2")
service = FeatureService(name="s", features=[view])
