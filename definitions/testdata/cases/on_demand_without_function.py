from feast import Field, OnDemandFeatureView, RequestSource
from feast.types import Int64

odfv = OnDemandFeatureView(name="o", schema=[Field(name="z", dtype=Int64)], sources=[RequestSource(name="r", schema=[Field(name="a", dtype=Int64)])])
