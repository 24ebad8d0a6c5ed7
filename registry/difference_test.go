package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// viewOf makes the definitions of one view, for tests to change.
func viewOf(change func(*core.FeatureViewSpec)) registry.Objects {
	spec := &core.FeatureViewSpec{
		Name: "v", Tags: map[string]string{"a": "1", "b": "2"},
		Features: []*core.FeatureSpecV2{{Name: "x", ValueType: types.ValueType_INT64}, {Name: "y", ValueType: types.ValueType_FLOAT}},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "f", BodyText: "def f(): pass"},
		}},
		BatchSource: &core.DataSource{Name: "s", DataSourceClassType: "a.B"},
	}
	change(spec)
	return registry.Objects{FeatureViews: []*core.FeatureView{{Spec: spec}}, Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "e"}}}}
}

func same(*core.FeatureViewSpec) {}

func TestCompareNamesTheFirstDifference(t *testing.T) {
	one := viewOf(same)
	for _, c := range []struct {
		name string
		with registry.Objects
		want registry.Difference
	}{
		{"a text", viewOf(func(s *core.FeatureViewSpec) { s.Features[1].Name = "z " }), registry.Difference{Field: "spec.features[1].name", A: `"y"`, B: `"z "`}},
		{"an enum", viewOf(func(s *core.FeatureViewSpec) { s.Features[0].ValueType = types.ValueType_INT32 }), registry.Difference{Field: "spec.features[0].value_type", A: "INT64", B: "INT32"}},
		{"one more", viewOf(func(s *core.FeatureViewSpec) { s.Features = append(s.Features, &core.FeatureSpecV2{Name: "z"}) }), registry.Difference{Field: "spec.features[2]", A: "none", B: `name:"z"`}},
		{"one less", viewOf(func(s *core.FeatureViewSpec) { s.Features = s.Features[:1] }), registry.Difference{Field: "spec.features[1]", A: `name:"y" value_type:FLOAT`, B: "none"}},
		{"a value of a map", viewOf(func(s *core.FeatureViewSpec) { s.Tags["b"] = "3" }), registry.Difference{Field: `spec.tags["b"]`, A: `"2"`, B: `"3"`}},
		{"a key of a map", viewOf(func(s *core.FeatureViewSpec) { delete(s.Tags, "a") }), registry.Difference{Field: `spec.tags["a"]`, A: "1", B: "none"}},
		{"a field that is not set", viewOf(func(s *core.FeatureViewSpec) { s.BatchSource = nil }), registry.Difference{Field: "spec.batch_source", A: `name:"s" data_source_class_type:"a.B"`, B: "none"}},
		{"the class of a source", viewOf(func(s *core.FeatureViewSpec) { s.BatchSource.DataSourceClassType = "c.D" }), registry.Difference{Field: "spec.batch_source.data_source_class_type", A: `"a.B"`, B: `"c.D"`}},
		{"the text of a function", viewOf(func(s *core.FeatureViewSpec) { s.FeatureTransformation.GetUserDefinedFunction().BodyText = "" }), registry.Difference{Field: "spec.feature_transformation.user_defined_function.body_text", A: "def f(): pass", B: "none"}},
		{"another name", viewOf(func(s *core.FeatureViewSpec) { s.Name = "w" }), registry.Difference{A: "defined", B: "not defined"}},
		{"a second of the name", registry.Objects{Entities: one.Entities, FeatureViews: append(viewOf(same).FeatureViews, viewOf(same).FeatureViews...)}, registry.Difference{Name: "v #2", A: "not defined", B: "defined"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Kind = "feature view"
			if c.want.Name == "" {
				c.want.Name = "v"
			}
			got, ok := registry.Compare(one, c.with)
			if diff := cmp.Diff(c.want, got); diff != "" || !ok {
				t.Error(ok, diff)
			}
		})
	}
}

func TestCompareLeavesOutWhatIsNoDifference(t *testing.T) {
	with := viewOf(func(s *core.FeatureViewSpec) {
		s.Project = "p"
		s.FeatureTransformation.GetUserDefinedFunction().Body = []byte("pickle")
		s.BatchSource.Meta = &core.DataSource_SourceMeta{CreatedTimestamp: timestamppb.Now()}
	})
	with.FeatureViews[0].Meta = &core.FeatureViewMeta{CreatedTimestamp: timestamppb.Now()}
	with.Entities = append(with.Entities, with.Entities[0]) // Feast takes the two for one
	if d, ok := registry.Compare(viewOf(same), with); ok {
		t.Errorf("%+v", d)
	}
}

// pickled makes the definitions of a function with its pickle.
func pickled(body string) registry.Objects {
	udf := &core.UserDefinedFunctionV2{Name: "f", BodyText: "def f(): return K"}
	if body != "" {
		udf.Body = []byte(body)
	}
	return registry.Objects{OnDemandFeatureViews: []*core.OnDemandFeatureView{{Spec: &core.OnDemandFeatureViewSpec{
		Name: "v", Features: []*core.FeatureSpecV2{{Name: "x", ValueType: types.ValueType_INT64}},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{UserDefinedFunction: udf}},
	}}}}
}

// A function's pickle contains values of its module: it is renewed even if the source
// text is the same. The plan does not show this, and it makes no new version.
func TestApplyRenewsPickles(t *testing.T) {
	reg := new(core.Registry)
	apply := func(body string) registry.Changes {
		t.Helper()
		changes, err := registry.Apply(reg, "p", pickled(body), time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	body := func() string {
		return string(reg.OnDemandFeatureViews[0].GetSpec().GetFeatureTransformation().GetUserDefinedFunction().GetBody())
	}
	apply("K = 1")
	versions := len(reg.GetFeatureViewVersionHistory().GetRecords())
	if changes := apply("K = 2"); body() != "K = 2" || len(changes) != 1 || changes.Loud() {
		t.Errorf("the registry has %q, the changes are %+v", body(), changes)
	}
	if changes := apply("K = 2"); len(changes) != 0 {
		t.Errorf("the same again: %+v", changes)
	}
	if changes := apply(""); len(changes) != 0 || body() != "K = 2" {
		t.Errorf("without a pickle the registry has %q, the changes are %+v", body(), changes)
	}
	if now := len(reg.GetFeatureViewVersionHistory().GetRecords()); now != versions {
		t.Errorf("%d versions, want %d", now, versions)
	}
}

// Feast accepts two equal entities as one, but refuses two equal sources or views.
func TestApplyTakesEqualEntitiesForOne(t *testing.T) {
	entity := func(description string) *core.Entity {
		return &core.Entity{Spec: &core.EntitySpecV2{Name: "e", JoinKey: "e", Description: description}}
	}
	for _, c := range []struct {
		name    string
		objects registry.Objects
		want    string
	}{
		{"equal entities", registry.Objects{Entities: []*core.Entity{entity("a"), entity("a")}}, ""},
		{"other entities", registry.Objects{Entities: []*core.Entity{entity("a"), entity("b")}}, "entity e is defined twice"},
		{"equal sources", registry.Objects{DataSources: []*core.DataSource{{Name: "s"}, {Name: "s"}}}, "data source s is defined twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg, got := new(core.Registry), ""
			if _, err := registry.Apply(reg, "p", c.objects, time.Unix(1, 0)); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got == "" && len(reg.Entities) != 2 { // and the one that stands for none
				t.Errorf("the registry has %d entities", len(reg.Entities))
			}
		})
	}
}
