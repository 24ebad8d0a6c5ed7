from datetime import timedelta

from feast import Entity, FileSource, PushSource, StreamFeatureView
from feast.aggregation import Aggregation

batch = FileSource(name="batch", path="x.parquet", timestamp_field="ts")
kwargs = dict(name="v", source=PushSource(name="p", batch_source=batch))
kwargs.update(mode='python', timestamp_field=None)
view = StreamFeatureView(**kwargs)
