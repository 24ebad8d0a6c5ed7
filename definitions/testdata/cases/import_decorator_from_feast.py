from feast import Field, on_demand_feature_view, RequestSource
from feast.types import Int64

@on_demand_feature_view(sources=[RequestSource(name="r", schema=[Field(name="a", dtype=Int64)])], schema=[Field(name="b", dtype=Int64)])
def view(inputs):
    return inputs
