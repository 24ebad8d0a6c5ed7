from datetime import timedelta

from feast import BatchFeatureView, Entity, Field, FileSource
from feast.batch_feature_view import batch_feature_view
from feast.transformation.pandas_transformation import PandasTransformation
from feast.types import Int64

e = Entity(name="id")
source = FileSource(path="x", timestamp_field="ts")


@batch_feature_view(entities=[e], source=source, schema=[Field(name="a", dtype=Int64)], mode="pandas", ttl=timedelta(days=1))
def decorated(df):
    # comment
    return df


@batch_feature_view(name="renamed", entities=[e], source=source, schema=[Field(name="a", dtype=Int64)], online=False, offline=False)
def other(df):
    return df
    # trailing comment


def udf(df):
    return df


given = BatchFeatureView(name="given", entities=[e], source=source, schema=[Field(name="a", dtype=Int64)], mode="python", udf=udf, udf_string="def udf(df):\n    return df\n")
silent = BatchFeatureView(name="silent", entities=[e], source=source, schema=[Field(name="a", dtype=Int64)], udf=udf)
made = BatchFeatureView(
    name="made", entities=[e], source=source, schema=[Field(name="a", dtype=Int64)], mode="pandas",
    feature_transformation=PandasTransformation(udf=udf, udf_string="text"),
)
