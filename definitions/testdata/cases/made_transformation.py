from feast import BatchFeatureView, FileSource
from feast.transformation.base import Transformation
from feast.transformation.mode import TransformationMode


def udf(df):
    return df


made = BatchFeatureView(
    name="made", source=FileSource(path="x"), feature_transformation=Transformation(mode=TransformationMode.PANDAS, udf=udf, udf_string="t"),
)
