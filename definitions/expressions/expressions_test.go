package expressions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// repo is a repository with one entity and one view.
func repo() *definitions.Repo {
	return &definitions.Repo{Objects: registry.Objects{
		Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "shopper", JoinKey: "shopper_id", ValueType: types.ValueType_INT64}}},
		FeatureViews: []*core.FeatureView{{Spec: &core.FeatureViewSpec{
			Name: "carts", Features: []*core.FeatureSpecV2{{Name: "items", ValueType: types.ValueType_INT64}, {Name: "sum", ValueType: types.ValueType_DOUBLE}},
			BatchSource: &core.DataSource{Name: "table", TimestampField: "at", CreatedTimestampColumn: "created", DataSourceClassType: "a.class"},
		}}},
	}}
}

func add(t *testing.T, text string) (*definitions.Repo, error) {
	t.Helper()
	dir, r := t.TempDir(), repo()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return r, Add(dir, r)
}

// The objects are those that Feast makes of the same view in Python.
func TestAView(t *testing.T) {
	r, err := add(t, `views:
  - name: cost
    tags: {team: shop}
    entities: [shopper]
    write_to_online_store: true
    sources:
      - {view: carts, features: [items]}
      - request: ask
        schema: {price: Float64, names: Array(String)}
    features:
      total:
        type: Float32
        description: all of it
        expr: >
          double(items)
          * price
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &core.OnDemandFeatureViewSpec{
		Name: "cost", Mode: "python", Version: "latest", Tags: map[string]string{"team": "shop"}, Entities: []string{"shopper"}, WriteToOnlineStore: true,
		EntityColumns: []*core.FeatureSpecV2{{Name: "shopper_id", ValueType: types.ValueType_INT64}},
		Features:      []*core.FeatureSpecV2{{Name: "total", ValueType: types.ValueType_FLOAT, Description: "all of it"}},
		Sources: map[string]*core.OnDemandSource{
			"carts": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: &core.FeatureViewProjection{
				FeatureViewName: "carts", ViewType: "featureView", FeatureColumns: []*core.FeatureSpecV2{{Name: "items", ValueType: types.ValueType_INT64}},
				TimestampField: "created", CreatedTimestampColumn: "created",
				BatchSource: &core.DataSource{Name: "table", TimestampField: "at", CreatedTimestampColumn: "created"},
			}}},
			"ask": {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
				Name: "ask", Type: core.DataSource_REQUEST_SOURCE,
				Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: []*core.FeatureSpecV2{
					{Name: "price", ValueType: types.ValueType_DOUBLE}, {Name: "names", ValueType: types.ValueType_STRING_LIST},
				}}},
			}}},
		},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: transform.ExpressionsFunction("cost", []transform.Expression{{Feature: "total", Text: "double(items) * price\n"}}),
		}},
	}
	if diff := cmp.Diff(want, r.Objects.OnDemandFeatureViews[0].GetSpec(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"cost": "on_demand.yaml:2", "cost:total": "on_demand.yaml:15"}, r.Places); diff != "" {
		t.Error(diff)
	}
}

func TestNoFileAndEmptyFiles(t *testing.T) {
	r := repo()
	if err := Add(t.TempDir(), r); err != nil || r.Objects.OnDemandFeatureViews != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "# nothing\n", "views: []\n", "views:\n"} {
		if r, err := add(t, text); err != nil || r.Objects.OnDemandFeatureViews != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Every problem is a line with its place.
func TestRefusals(t *testing.T) {
	const view = "views:\n- name: cost\n  sources: [carts]\n  features: {total: {type: Int64, expr: items}}\n"
	for text, want := range map[string]string{
		"- a\n":                       "on_demand.yaml:1: the file must be a mapping",
		"views: 3\n":                  "on_demand.yaml:1: views must be a list",
		"views: [3]\n":                "on_demand.yaml:1: a view must be a mapping\non_demand.yaml:1: a view needs a name",
		"views: []\n---\nviews: []\n": "on_demand.yaml:2: the file has a second YAML document; put its views into the first",
		"views: []\n---\nviews: [\n":  "on_demand.yaml: line 3: did not find expected node content",
		view + "- name: COST\n  sources: [carts]\n  features: {total: {type: Int64, expr: items}}\n": "on_demand.yaml:5: on-demand feature view COST: there is on-demand feature view cost already; give one of them another name",
		strings.Replace(view, "cost", "co:st", 1):                                                    `on_demand.yaml:2: name "co:st" must not contain '@' or ':'`,
		strings.Replace(view, "cost", "3", 1):                                                        "on_demand.yaml:2: name must be a text; put it in quotes\non_demand.yaml:2: a view needs a name",
		strings.Replace(view, "[carts]", "[carts, carts]", 1):                                        "on_demand.yaml:3: view cost has the source carts twice",
		strings.Replace(view, "[carts]", "[]", 1):                                                    "on_demand.yaml:2: view cost needs sources: names of feature views, or request data",
		strings.Replace(view, "[carts]", "[{request: r}]", 1):                                        "on_demand.yaml:3: view cost: request data needs a name and a schema: {request: name, schema: {field: Int64}}",
		strings.Replace(view, "[carts]", "[{features: [a]}]", 1):                                     "on_demand.yaml:3: view cost: a source is the name of a feature view, {view: name, features: [...]}, or {request: name, schema: {...}}",
		strings.Replace(view, "carts", "{view: carts, features: [item]}", 1):                         `on_demand.yaml:3: view cost: feature view carts has no feature "item"; there is items`,
		strings.Replace(view, "type: Int64, ", "", 1):                                                "on_demand.yaml:4: feature total of view cost needs a type: Int32, Int64, Float32, Float64, String, Bool, UnixTimestamp, Array(Int64), Array(Float64), Array(String), Array(Bool)",
		strings.Replace(view, ", expr: items", "", 1):                                                "on_demand.yaml:4: feature total of view cost needs an expr",
		strings.Replace(view, "expr: items", "expr: 3", 1):                                           "on_demand.yaml:4: expr of feature total must be a text; put it in quotes\non_demand.yaml:4: feature total of view cost needs an expr",
		strings.Replace(view, "Int64", "[Int64]", 1):                                                 "on_demand.yaml:4: type of feature total must be a text; put it in quotes",
		strings.Replace(view, "Int64", "Array(UnixTimestamp)", 1):                                    `on_demand.yaml:4: type of feature total: "Array(UnixTimestamp)" is no type that expressions know; they know Int32, Int64, Float32, Float64, String, Bool, UnixTimestamp, Array(Int64), Array(Float64), Array(String), Array(Bool)`,
		strings.Replace(view, "features: {total: {type: Int64, expr: items}}", "features: {}", 1):    "on_demand.yaml:2: view cost needs features: {name: {type: Float64, expr: ...}}",
	} {
		_, err := add(t, text)
		if err == nil || err.Error() != want || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

// FuzzFile reads any text: it is views or faults, without a panic.
func FuzzFile(f *testing.F) {
	for _, s := range []string{
		"views:\n- name: cost\n  sources: [carts]\n  features: {total: {type: Int64, expr: items}}\n",
		"views: &a\n- *a\n", "views: [&a {name: x, sources: [*a], features: *a}]\n", "views:\n- {? [a] : b}\n", "views: [null, ~, {name: }]\n", "a: &a [*a]", "\x00", "views: !!binary x", "- - -",
		"views:\n- {name: a, tags: [], entities: {}, sources: {}, features: []}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &reader{repo: repo(), views: map[string]string{}}
		r.known()
		r.file(text)
		for _, f := range r.faults {
			if !strings.HasPrefix(f, FileName+":") || strings.Contains(f, "\n") {
				t.Errorf("%q: %q", text, f)
			}
		}
		if len(r.faults) > 0 {
			return
		}
		for _, v := range r.made {
			if v.GetSpec().GetName() == "" || len(v.GetSpec().GetFeatures()) == 0 || !transform.HasExpressions(v.GetSpec()) {
				t.Errorf("%q: %v", text, v)
			}
		}
	})
}

// Feast finds the class of a source that is not built in, such as one in PostgreSQL, by
// its name, and cannot load a registry without it.
func TestTheClassOfACustomSourceIsKept(t *testing.T) {
	dir, r := t.TempDir(), repo()
	r.Objects.FeatureViews[0].Spec.BatchSource.Type = core.DataSource_CUSTOM_SOURCE
	const text = "views: [{name: cost, sources: [carts], features: {total: {type: Int64, expr: items}}}]\n"
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add(dir, r); err != nil {
		t.Fatal(err)
	}
	source := r.Objects.OnDemandFeatureViews[0].GetSpec().GetSources()["carts"].GetFeatureViewProjection().GetBatchSource()
	if source.GetDataSourceClassType() != "a.class" {
		t.Errorf("the source is %v", source)
	}
}
