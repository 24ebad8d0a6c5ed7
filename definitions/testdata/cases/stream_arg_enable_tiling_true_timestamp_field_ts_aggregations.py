from datetime import timedelta

from feast import Entity, FileSource, PushSource, StreamFeatureView
from feast.aggregation import Aggregation

batch = FileSource(name="batch", path="x.parquet", timestamp_field="ts")
kwargs = dict(name="v", source=PushSource(name="p", batch_source=batch))
kwargs.update(enable_tiling=True, timestamp_field='ts', aggregations=[Aggregation(column='a', function='sum', time_window=timedelta(minutes=5))])
view = StreamFeatureView(**kwargs)
