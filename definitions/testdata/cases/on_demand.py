import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, RequestSource
from feast.aggregation import Aggregation
from feast.on_demand_feature_view import OnDemandFeatureView, on_demand_feature_view
from feast.transformation.pandas_transformation import PandasTransformation
from feast.transformation.python_transformation import PythonTransformation
from feast.types import Float64, Int64, String

e = Entity(name="id")
view = FeatureView(
    name="v", entities=[e], source=FileSource(path="x", timestamp_field="ts", created_timestamp_column="c"),
    schema=[Field(name="a", dtype=Int64), Field(name="b", dtype=String)],
)
request = RequestSource(name="request", schema=[Field(name="amount", dtype=Int64)], description="r", tags={"k": "v"})


@on_demand_feature_view(sources=[view, request], schema=[Field(name="total", dtype=Float64)])
def total(inputs: pd.DataFrame) -> pd.DataFrame:
    """Sums."""
    df = pd.DataFrame()
    df["total"] = inputs["a"] + inputs["amount"]  # the sum

    return df

    # a last comment
# not of the body


@on_demand_feature_view(
    name="renamed",
    entities=[e],
    sources=[view[["b"]], view.with_name("other")],
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Int64)],
    mode="python",
    description="d",
    tags={"a": "b"},
    owner="o",
    org="g",
    write_to_online_store=True,
    singleton=True,
    track_metrics=True,
    version="v1",
)
def long_name(inputs):
    return {"x": inputs["a"]}


@on_demand_feature_view(schema=[Field(name="y", dtype=Int64)], input_schema=[Field(name="in", dtype=Int64, tags={"t": "1"})], mode="PYTHON", explode=False)
def from_input(inputs): return {"y": inputs["in"]}


def udf(df):
    return df


given = OnDemandFeatureView(name="given", sources=[view], schema=[Field(name="z", dtype=Int64)], udf=udf, udf_string="def udf(df):\n  return df\n", enabled=False)
silent = OnDemandFeatureView(name="silent", sources=[view], schema=[Field(name="z", dtype=Int64)], udf=udf, mode="python")
made = OnDemandFeatureView(
    name="made", sources=[request], schema=[Field(name="z", dtype=Int64)], mode="pandas",
    feature_transformation=PandasTransformation(udf=udf, udf_string="some text"),
)
lambda_made = OnDemandFeatureView(
    name="lambda_made", sources=[request], schema=[Field(name="z", dtype=Int64)], mode="python",
    feature_transformation=PythonTransformation(udf=lambda d: d, udf_string="lambda d: d"),
)
aggregated = OnDemandFeatureView(
    name="aggregated", sources=[view], schema=[Field(name="sum_a", dtype=Int64)], aggregations=[Aggregation(column="a", function="sum")],
)
projection = OnDemandFeatureView(name="projection", sources=[view.projection], schema=[Field(name="z", dtype=Int64)], udf=udf)
service = FeatureService(name="s", features=[total, long_name[["x"]], view, given.with_name("alias")])
