from feast import Entity, FeatureService, FeatureView, Field, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Int64

e = Entity(name="e", value_type=ValueType.INT64)


def view(name, **more):
    return FeatureView(name=name, entities=[e], schema=[Field(name="a", dtype=Int64), Field(name="b", dtype=Int64)], **more)


v, first, later, word = view("v"), view("first", version="v0"), view("later", version="Version12"), view("word", version="latest")
prefix = "v@v" + str(2)
texts = FeatureService(name="texts", features=["v", f"{prefix}:a", "v@LATEST", "", "a b:c:d"], tags={"x": "y"})
mixed = FeatureService(name="mixed", features=["v:b", v[["a"]], "first", first, later.with_name("z"), first[["b"]].with_join_key_map({"e": "f"}), word, *[f"v:{n}" for n in "ab"]])
only = FeatureService(name="only", features=[])


@on_demand_feature_view(sources=[first], schema=[Field(name="o", dtype=Int64)], mode="python", version="v3")
def computed(inputs):
    return {"o": inputs["a"]}


demand = FeatureService(name="demand", features=[computed, "computed"])
