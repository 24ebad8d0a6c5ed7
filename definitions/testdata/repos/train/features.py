
import json as pd
import functools as F
from feast import Entity, FeatureView, FileSource


try:
    from local_settings import TTL
except ImportError:
    TTL = None

e = Entity(name="e")
v = FeatureView(name="v", entities=[e], source=FileSource(path="x", timestamp_field="ts"))
