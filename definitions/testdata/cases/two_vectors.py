from feast import FeatureView, Field
from feast.types import Array, Float32

view = FeatureView(
    name="v",
    schema=[Field(name=n, dtype=Array(Float32), vector_index=True) for n in "ab"],
)
