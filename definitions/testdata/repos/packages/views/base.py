from datetime import timedelta

from feast import FeatureView, FileSource

from shared import OWNER, user


def view(name, days):
    return FeatureView(name=name, entities=[user], ttl=timedelta(days=days), owner=OWNER, source=FileSource(path=f"{name}.parquet", timestamp_field="ts"))


shared_view = view("shared", 1)
