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
	} {
		if slices.Contains(names, name) {
			text += "\n\n@on_demand_feature_view(sources=[carts], schema=[Field(name=\"x\", dtype=Float64)])\ndef " + name +
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
	dir := newRepo(t, cartYAML, cartFunctions("keyed"))
	if code, out, errText := command(t, nil, "-c", dir, "apply", "--skip-source-validation"); code != 0 || strings.Contains(errText, "warning") {
		t.Errorf("a join key: exit %d\n%s%s", code, out, errText)
	}
}
