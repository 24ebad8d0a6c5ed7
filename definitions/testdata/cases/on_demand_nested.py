from feast import Field, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Int64

request = RequestSource(name="r", schema=[Field(name="a", dtype=Int64)])


def make(n):
    @on_demand_feature_view(name=f"made_{n}", sources=[request], schema=[Field(name=f"x{n}", dtype=Int64)], mode="python")
    def inner(inputs):
        # indented
        return {f"x{n}": inputs["a"]}
        # after

    return inner


made_1 = make(1)
made_2 = make(2)
if True:
    @on_demand_feature_view(sources=[request], schema=[Field(name="x", dtype=Int64)], mode="python")
    def indented(inputs):
        text = """
multi
  line
"""
        return {"x": text}


@on_demand_feature_view(
    sources=[request],
    schema=[Field(name="x", dtype=Int64)], mode="python",
)
# between
def commented(
    inputs,
):
	return {"x": 1}
