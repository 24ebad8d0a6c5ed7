from feast import Field, FileSource, PushSource
from feast.stream_feature_view import stream_feature_view
from feast.types import Int64


@stream_feature_view(source=PushSource(name="push", batch_source=FileSource(path="x")), schema=[Field(name="a", dtype=Int64)])
def decorated(df):
    return df
