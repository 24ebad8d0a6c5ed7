package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Request data on the command line is text, which gets the types of its schema.
func TestGetOnDemandFeatures(t *testing.T) {
	source := `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`
	dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", source)+`
import pandas as pd
from feast import RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64

request = RequestSource(name="request", schema=[Field(name="price", dtype=Float64)])

@on_demand_feature_view(sources=[carts, request], schema=[Field(name="total", dtype=Float64)])
def cost(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["total"] = inputs["items"] * inputs["price"]
    return out
`)
	writeFile(t, filepath.Join(dir, "carts.csv"), "shopper,items,at\n7,3,2024-01-15T00:00:00Z\n")
	for _, args := range [][]string{{"apply"}, {"materialize", "2024-01-01", "2024-02-01"}} {
		if code, _, errText := command(t, nil, append([]string{"-c", dir}, args...)...); code != 0 {
			t.Fatal(errText)
		}
	}
	get := func(args ...string) (int, string, string) {
		return command(t, nil, append([]string{"-c", dir, "get-online-features", "-e", "shopper=7", "-f", "cost:total"}, args...)...)
	}
	const want = "{\n    \"shopper\": [\n        7\n    ],\n    \"total\": [\n        7.5\n    ]\n}\n"
	if code, out, errText := get("-e", "price=2.5"); code != 0 || out != want {
		t.Errorf("exit %d, %s%s", code, out, errText)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no request data":  {nil, "banquet: Required request data source features ['price'] not found in the entity rows, but required by feature views\n"},
		"bad request data": {[]string{"-e", "price=much"}, "banquet: request data \"price\", row 0: \"much\" is not a number\n"},
	} {
		if code, _, errText := get(c.args...); code != 1 || errText != c.want {
			t.Errorf("%s: exit %d, %q", name, code, errText)
		}
	}
}
