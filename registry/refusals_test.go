package registry_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

func batchView(name string) *core.FeatureView {
	return &core.FeatureView{Spec: &core.FeatureViewSpec{Name: name}}
}

func streamView(name string) *core.StreamFeatureView {
	return &core.StreamFeatureView{Spec: &core.StreamFeatureViewSpec{Name: name}}
}

func onDemandView(name string) *core.OnDemandFeatureView {
	return &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{Name: name}}
}

func labelView(name string) *core.LabelView {
	return &core.LabelView{Spec: &core.LabelViewSpec{Name: name}}
}

// Apply refuses names that Feast refuses, across kinds, and changes nothing then.
func TestNamesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		objects registry.Objects
		text    string
	}{
		"two batch views":             {registry.Objects{FeatureViews: []*core.FeatureView{batchView("a"), batchView("a")}}, "differ only in case"},
		"names that differ in case":   {registry.Objects{FeatureViews: []*core.FeatureView{batchView("Carts")}, OnDemandFeatureViews: []*core.OnDemandFeatureView{onDemandView("carts")}}, "Carts and carts"},
		"a batch and a stream view":   {registry.Objects{FeatureViews: []*core.FeatureView{batchView("a")}, StreamFeatureViews: []*core.StreamFeatureView{streamView("a")}}, "must be case-insensitively unique"},
		"a stream and a label view":   {registry.Objects{LabelViews: []*core.LabelView{labelView("a")}, StreamFeatureViews: []*core.StreamFeatureView{streamView("a")}}, "must be case-insensitively unique"},
		"a version in a name":         {registry.Objects{OnDemandFeatureViews: []*core.OnDemandFeatureView{onDemandView("a@v1")}}, `on-demand feature view name "a@v1" must not contain '@' or ':'`},
		"a colon in a name":           {registry.Objects{LabelViews: []*core.LabelView{labelView("a:b")}}, `label view name "a:b" must not contain`},
		"no name":                     {registry.Objects{StreamFeatureViews: []*core.StreamFeatureView{streamView("")}}, "every stream feature view needs a name"},
		"no name of an entity":        {registry.Objects{Entities: []*core.Entity{{Spec: &core.EntitySpecV2{}}}}, "every entity needs a name"},
		"two sources, even if equal":  {registry.Objects{DataSources: []*core.DataSource{{Name: "s"}, {Name: "s"}}}, "data source s is defined twice"},
		"sources that differ in case": {registry.Objects{DataSources: []*core.DataSource{{Name: "Src"}, {Name: "src"}}}, "data sources Src and src have names that differ only in case"},
		"two services that differ": {registry.Objects{FeatureServices: []*core.FeatureService{
			{Spec: &core.FeatureServiceSpec{Name: "s"}}, {Spec: &core.FeatureServiceSpec{Name: "s", Owner: "me"}},
		}}, "feature service s is defined twice"},
		"two permissions that differ": {registry.Objects{Permissions: []*core.Permission{
			{Spec: &core.PermissionSpec{Name: "s"}}, {Spec: &core.PermissionSpec{Name: "s", NamePatterns: []string{"x"}}},
		}}, "permission s is defined twice"},
	} {
		reg := &core.Registry{}
		applied(t, reg, carts("items"), monday)
		before := proto.CloneOf(reg)
		_, err := registry.Apply(reg, "shop", c.objects, tuesday)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %s", name, err, c.text)
		}
		if !proto.Equal(before, reg) {
			t.Errorf("%s: the registry has changed", name)
		}
	}
	equal := registry.Objects{Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "e"}}, {Spec: &core.EntitySpecV2{Name: "e"}}}}
	if reg := (&core.Registry{}); len(applied(t, reg, equal, monday)) == 0 || len(reg.GetEntities()) != 2 { // with the dummy
		t.Errorf("two equal entities are %v", reg.GetEntities())
	}
}

// A registry that holds a name twice is refused, with the name.
func TestARegistryThatHoldsANameTwice(t *testing.T) {
	entity, service := &core.Entity{Spec: &core.EntitySpecV2{Name: "x"}}, &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "x"}}
	for name, reg := range map[string]*core.Registry{
		"project":         {Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "x"}}, {Spec: &core.ProjectSpec{Name: "x"}}}},
		"entity":          {Entities: []*core.Entity{entity, entity}},
		"feature service": {FeatureServices: []*core.FeatureService{service, service}},
		"feature view":    {FeatureViews: []*core.FeatureView{batchView("x"), batchView("x")}},
	} {
		_, err := registry.OpenSnapshot(reg, registry.Options{})
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), name+" x") || !strings.Contains(err.Error(), "twice") {
			t.Errorf("two of %s: %v", name, err)
		}
	}
	kinds := []func(*core.Registry){
		func(r *core.Registry) { r.FeatureViews = append(r.FeatureViews, batchView("x")) },
		func(r *core.Registry) { r.StreamFeatureViews = append(r.StreamFeatureViews, streamView("x")) },
		func(r *core.Registry) { r.OnDemandFeatureViews = append(r.OnDemandFeatureViews, onDemandView("x")) },
		func(r *core.Registry) { r.LabelViews = append(r.LabelViews, labelView("x")) },
	}
	for i, one := range kinds {
		for _, other := range kinds[:i] {
			reg := &core.Registry{}
			one(reg)
			other(reg)
			if _, err := registry.OpenSnapshot(reg, registry.Options{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "feature view x") {
				t.Errorf("%v: %v", reg, err)
			}
		}
	}
}

// A window is recorded as it is, up to now, or not at all.
func TestWindowsThatAreRecorded(t *testing.T) {
	now := tuesday
	for name, c := range map[string]struct {
		view       string
		start, end time.Time
		recorded   time.Time // its end; zero: nothing
		err        fault.Kind
	}{
		"a window":                    {"batch", monday, monday.Add(time.Hour), monday.Add(time.Hour), 0},
		"of a stream view":            {"stream", monday, monday.Add(time.Hour), monday.Add(time.Hour), 0},
		"a window that is a moment":   {"batch", monday, monday, monday, 0},
		"a window that ends tomorrow": {"batch", monday, now.AddDate(0, 0, 1), now, 0},
		"a window of tomorrow":        {"batch", now.AddDate(0, 0, 1), now.AddDate(0, 0, 2), time.Time{}, 0},
		"a reversed window":           {"batch", monday.Add(time.Hour), monday, time.Time{}, 0},
		"of a view that is gone":      {"nope", monday, now, time.Time{}, fault.NotFound},
	} {
		reg := &core.Registry{FeatureViews: []*core.FeatureView{batchView("other"), batchView("batch")}, StreamFeatureViews: []*core.StreamFeatureView{streamView("stream")}}
		reg.FeatureViews[1].Spec.Project, reg.StreamFeatureViews[0].Spec.Project = "p", "p"
		err := registry.RecordMaterialization(reg, "p", c.view, c.start, c.end, now)
		metas := []*core.FeatureViewMeta{reg.FeatureViews[0].GetMeta(), reg.FeatureViews[1].GetMeta(), reg.StreamFeatureViews[0].GetMeta()}
		var found []*core.MaterializationInterval
		for _, m := range metas {
			found = append(found, m.GetMaterializationIntervals()...)
			if len(m.GetMaterializationIntervals()) > 0 && (m.GetState() != core.FeatureViewState_AVAILABLE_ONLINE || !m.GetLastUpdatedTimestamp().AsTime().Equal(now)) {
				t.Errorf("%s: %v", name, m)
			}
		}
		switch {
		case c.err != 0:
			if fault.KindOf(err) != c.err || len(found) > 0 {
				t.Errorf("%s: %v, %v", name, err, found)
			}
		case c.recorded.IsZero():
			if err == nil || len(found) > 0 {
				t.Errorf("%s: %v, %v", name, err, found)
			}
		case err != nil || len(found) != 1 || !found[0].GetEndTime().AsTime().Equal(c.recorded) || !found[0].GetStartTime().AsTime().Equal(c.start):
			t.Errorf("%s: %v, %v", name, err, found)
		}
	}
}
