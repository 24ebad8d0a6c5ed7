from feast import FeatureView, Field, FileSource, PushSource, RequestSource, StreamFeatureView
from feast.aggregation import Aggregation
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.types import Int64


def udf(df):
    return df


batch = FileSource(path="x", timestamp_field="ts")
view = FeatureView(name="v", source=batch, schema=[Field(name="a", dtype=Int64)])
sfv = StreamFeatureView(name="sfv", source=PushSource(name="p", batch_source=batch), schema=[Field(name="a", dtype=Int64)])
kwargs = dict(name="odfv", schema=[Field(name="z", dtype=Int64)], udf=udf)
kwargs.update(sources=[])
odfv = OnDemandFeatureView(**kwargs)
