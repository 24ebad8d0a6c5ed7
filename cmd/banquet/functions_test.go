package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const cartYAML = "project: shop\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\noffline_store: {type: file}\nentity_key_serialization_version: 3\n"

// cartFunctions are on-demand views over a view of carts; each function is on the fifth
// line of its text.
func cartFunctions(names ...string) string {
	text := `import pandas as pd
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
carts = FeatureView(name="carts", entities=[shopper], schema=[Field(name="items", dtype=Int64), Field(name="note", dtype=String)],
    source=FileSource(name="carts_source", path="carts.csv", timestamp_field="at"))
`
	for name, expression := range map[string]string{
		"rolled": `inputs["items"].rolling(3).mean()`, "lost": `inputs["itemz"] * 2`, "mixed": `inputs["items"] - inputs["note"]`, "keyed": `inputs["shopper"] * inputs["items"]`,
		"mapped": `inputs["buyer"] * inputs["items"]`,
	} {
		if slices.Contains(names, name) {
			source := "carts"
			if name == "mapped" {
				source += `.with_join_key_map({"shopper": "buyer"})`
			}
			text += "\n\n@on_demand_feature_view(sources=[" + source + "], schema=[Field(name=\"x\", dtype=Float64)])\ndef " + name +
				"(inputs: pd.DataFrame) -> pd.DataFrame:\n    out = pd.DataFrame()\n    out[\"x\"] = " + expression + "\n    return out\n"
		}
	}
	return text
}

// A function that banquet cannot compute is a warning with its place: Feast can. One that
// cannot work with its inputs is an error.
func TestFunctionsOfOnDemandViewsAreCompiledByApply(t *testing.T) {
	warning := `warning: features.py:14: on-demand feature view "rolled" cannot be computed: method .rolling() is not supported; requests for its features will be answered with 501 (UNIMPLEMENTED), all others are served`
	for _, lines := range []string{"\n", "\r\n"} {
		dir := newRepo(t, cartYAML, strings.ReplaceAll(cartFunctions("rolled"), "\n", lines))
		for _, verb := range []string{"plan", "validate", "apply"} {
			code, out, errText := command(t, nil, "-c", dir, verb, "--skip-source-validation")
			if code != 0 || strings.Count(out+errText, warning+"\n") != 1 {
				t.Errorf("%s: exit %d\n%s%s", verb, code, out, errText)
			}
		}
	}
	for name, want := range map[string]string{
		"lost":  `features.py:14: on-demand feature view "lost" cannot be computed: KeyError: no source of the view has the column "itemz"`,
		"mixed": `features.py:14: on-demand feature view "mixed" cannot be computed: TypeError: unsupported operand type(s) for -: 'int' and 'str'`,
	} {
		dir := newRepo(t, cartYAML, cartFunctions(name))
		for _, verb := range []string{"plan", "validate", "apply"} {
			if code, out, errText := command(t, nil, "-c", dir, verb, "--skip-source-validation"); code != 1 || !strings.Contains(errText, want) || strings.Contains(out, "Created") {
				t.Errorf("%s %s: exit %d\n%s%s", verb, name, code, out, errText)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "registry.db")); err == nil {
			t.Errorf("%s: a registry was written", name)
		}
	}
	dir := newRepo(t, cartYAML, cartFunctions("keyed", "mapped"))
	if code, out, errText := command(t, nil, "-c", dir, "apply", "--skip-source-validation"); code != 0 || strings.Contains(errText, "warning") {
		t.Errorf("join keys: exit %d\n%s%s", code, out, errText)
	}
}

func TestTransformTest(t *testing.T) {
	dir := newRepo(t, cartYAML, cartFunctions("keyed", "mapped", "rolled"))
	if code, _, errText := command(t, nil, "-c", dir, "apply", "--skip-source-validation"); code != 0 {
		t.Fatal(errText)
	}
	rows := func(text string) string {
		path := filepath.Join(t.TempDir(), "rows.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, view, rows, format string
		code                     int
		out, errText             string
	}{
		{"objects", "keyed", `[{"shopper": 2, "items": 3}, {"items": 4, "shopper": 5, "more": 1}]`, "table", 0, "x\n6.0\n20.0\n", "  reads items INT64 (carts)\n"},
		{"lists", "keyed", `{"shopper": [2, 5], "carts__items": [null, 4]}`, "json", 0, "[\n    {\"x\": null},\n    {\"x\": 20.0}\n]\n", "  makes x DOUBLE\n"},
		{"lines", "keyed", "{\"shopper\": 2, \"items\": \"3\"}\n{\"shopper\": 1, \"items\": 1}\n", "json", 0, "[\n    {\"x\": 6.0},\n    {\"x\": 1.0}\n]\n", "  | def keyed("},
		{"a join key by another name", "mapped", `[{"buyer": 2, "items": 3}]`, "table", 0, "x\n6.0\n", "  reads buyer INT64 (join key)\n"},
		{"a column is missing", "keyed", `[{"shopper": 2}]`, "table", 1, "", `rows.json: the rows have no column "items", which the function reads`},
		{"a value of another type", "keyed", `[{"shopper": 2, "items": 3}, {"shopper": 2, "items": "x"}]`, "table", 1, "", `rows.json: column "items", row 1: `},
		{"lists of different lengths", "keyed", `{"shopper": [2, 5], "items": [1]}`, "table", 1, "", "column"},
		{"no rows", "keyed", `[]`, "table", 1, "", "rows.json has no rows"},
		{"no JSON", "keyed", `items`, "table", 1, "", "rows.json is not JSON rows"},
		{"not computed", "rolled", `[]`, "table", 1, "", `on-demand feature view "rolled" cannot be computed: line 4 of its function: method .rolling() is not supported`},
		{"no function", "carts", `[]`, "table", 1, "", "carts is not an on-demand feature view, and has no function"},
		{"no view", "nope", `[]`, "table", 1, "", "nope does not exist"},
		{"a name that is nearly right", "keyd", `[]`, "table", 1, "", "did you mean keyed?"},
		{"another format", "keyed", `[]`, "yaml", 2, "", `--output "yaml": want table or json`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errText := command(t, nil, "-c", dir, "transform", "test", c.view, "-i", rows(c.rows), "-o", c.format)
			if trimmed := strings.ReplaceAll(out, " \n", "\n"); code != c.code || trimmed != c.out || !strings.Contains(errText, c.errText) {
				t.Errorf("exit %d, want %d\n%s\n%s", code, c.code, out, errText)
			}
		})
	}
	if code, _, errText := command(t, nil, "-c", dir, "transform", "test", "keyed"); code != 2 || !strings.Contains(errText, "want --input FILE") {
		t.Errorf("no input: exit %d %s", code, errText)
	}
}
