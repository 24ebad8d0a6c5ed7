from datetime import timedelta

from feast import Entity, Field, FileSource, PushSource, StreamFeatureView
from feast.stream_feature_view import stream_feature_view
from feast.types import Int64

e = Entity(name="id")
push = PushSource(name="push", batch_source=FileSource(path="x", timestamp_field="ts"))


@stream_feature_view(entities=[e], source=push, schema=[Field(name="a", dtype=Int64)], ttl=timedelta(days=1), mode="python")
def decorated(df):
    return df


@stream_feature_view(entities=[e], source=push, schema=[Field(name="a", dtype=Int64)], mode="pandas", timestamp_field="ts", description="d", tags={"a": "b"}, ttl=timedelta(0))
def second(df):
    return df


def udf(df):
    return df


given = StreamFeatureView(name="given", entities=[e], source=push, schema=[Field(name="a", dtype=Int64)], udf=udf, udf_string="text", mode="pandas")
