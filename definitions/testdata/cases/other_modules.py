import feast
import feast.types as ft
from feast import types
from feast.entity import Entity
from feast.feature_view import FeatureView as FV
from feast.field import Field
from feast.value_type import ValueType
import datetime as dt

entity = Entity(name="e", value_type=ValueType.INT64)
source = feast.FileSource(path="p", timestamp_field="ts")
view = FV(name="v", entities=[entity], source=source, ttl=dt.timedelta(weeks=1), schema=[Field(name="a", dtype=types.Int64), feast.Field(name="b", dtype=ft.Array(ft.String))])
project = feast.Project(name="p")
