package definitions_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

// Feast treats equal entities, services and permissions of one name as the same,
// and refuses views and sources.
func TestNamesDefinedTwice(t *testing.T) {
	const head = "from feast import Entity, FeatureService, FeatureView, Field, FileSource\nfrom feast.types import Int64\n" +
		"s = FileSource(name=\"s\", path=\"p\", timestamp_field=\"t\")\nv = FeatureView(name=\"v\", source=s, schema=[Field(name=\"a\", dtype=Int64)])\n"
	for _, c := range []struct{ name, source, want string }{
		{"equal entities", `a, b = Entity(name="e"), Entity(name="e")`, ""},
		{"other entities", `a, b = Entity(name="e"), Entity(name="e", owner="o")`, "entity e is defined twice"},
		{"equal services", `a, b = FeatureService(name="f", features=[v]), FeatureService(name="f", features=[v])`, ""},
		{"other services", `a, b = FeatureService(name="f", features=[v]), FeatureService(name="f", features=[])`, "feature service f is defined twice"},
		{"equal references", `a, b = FeatureService(name="f", features=["v"]), FeatureService(name="f", features=["v"])`, ""},
		{"other references", `a, b = FeatureService(name="f", features=["v"]), FeatureService(name="f", features=["v:a"])`, "feature service f is defined twice"},
		{"equal sources", `a = FileSource(name="s", path="p", timestamp_field="t")`, "data source s is defined twice"},
		{"equal views", `a = FeatureView(name="v", source=s, schema=[Field(name="a", dtype=Int64)])`, "feature view v is defined twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo, err := definitions.Load(t.Context(), repository(t, map[string]string{"features.py": head + c.source}), definitions.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" && repo.Twice != nil || c.want != "" && (repo.Twice == nil || !strings.Contains(repo.Twice.Error(), c.want)) {
				t.Errorf("got %v, want %q", repo.Twice, c.want)
			}
		})
	}
}
