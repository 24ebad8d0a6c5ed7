package registry_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

func entity(name, key string, t types.ValueType_Enum) *core.Entity {
	return &core.Entity{Spec: &core.EntitySpecV2{Name: name, JoinKey: key, ValueType: t}}
}

// trips are views of an entity with a key of another name, of two entities and of none, and
// an on-demand view over them.
func trips(sources map[string]*core.FeatureViewProjection) *registry.Objects {
	o := &registry.Objects{
		Entities: []*core.Entity{
			entity("driver", "driver_id", types.ValueType_INT64), entity("zone", "zone", types.ValueType_STRING), entity("car", "plate", types.ValueType_STRING),
			entity("driver", "driver_id", types.ValueType_INT64), // twice alike
			entity(registry.DummyEntity, registry.DummyKey, types.ValueType_STRING),
		},
		FeatureViews: []*core.FeatureView{
			{Spec: &core.FeatureViewSpec{Name: "drivers", Entities: []string{"driver"}, EntityColumns: []*core.FeatureSpecV2{{Name: "driver_id", ValueType: types.ValueType_INT32}}}},
			{Spec: &core.FeatureViewSpec{Name: "shifts", Entities: []string{"driver", "zone"}}},
			{Spec: &core.FeatureViewSpec{Name: "weather", Entities: []string{registry.DummyEntity}}},
		},
		OnDemandFeatureViews: []*core.OnDemandFeatureView{{Spec: &core.OnDemandFeatureViewSpec{Name: "computed", Sources: map[string]*core.OnDemandSource{
			"request": {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{Name: "request"}}},
		}}}},
	}
	for name, p := range sources {
		o.OnDemandFeatureViews[0].Spec.Sources[name] = &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: p}}
	}
	return o
}

func TestFunctionKeys(t *testing.T) {
	view := func(name string) *core.FeatureViewProjection {
		return &core.FeatureViewProjection{FeatureViewName: name}
	}
	mapped := view("shifts")
	mapped.JoinKeyMap = map[string]string{"driver_id": "substitute"}
	for _, c := range []struct {
		name            string
		sources         map[string]*core.FeatureViewProjection
		keys, remaining []string
	}{
		{"no stored source", nil, nil, []string{"driver_id INT64", "zone STRING", "plate STRING"}},
		{"the type is that of the view", map[string]*core.FeatureViewProjection{"a": view("drivers")}, []string{"driver_id INT32"}, []string{"zone STRING", "plate STRING"}},
		{"each once, of the first source", map[string]*core.FeatureViewProjection{"b": view("drivers"), "a": view("shifts")}, []string{"driver_id INT64", "zone STRING"}, []string{"plate STRING"}},
		{"by the names of callers", map[string]*core.FeatureViewProjection{"a": mapped}, []string{"substitute INT64", "zone STRING"}, []string{"driver_id INT64", "plate STRING"}},
		{"a view without entities", map[string]*core.FeatureViewProjection{"a": view("weather")}, nil, []string{"driver_id INT64", "zone STRING", "plate STRING"}},
		{"a view that is gone", map[string]*core.FeatureViewProjection{"a": view("gone"), "b": view("drivers")}, []string{"driver_id INT32"}, []string{"zone STRING", "plate STRING"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := trips(c.sources)
			before := proto.Clone(o.OnDemandFeatureViews[0])
			p, err := o.Compile("taxis")
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.View("computed")
			if err != nil {
				t.Fatal(err)
			}
			text := func(list []*core.FeatureSpecV2) (out []string) {
				for _, f := range list {
					out = append(out, f.GetName()+" "+f.GetValueType().String())
				}
				return out
			}
			keys, others := p.FunctionKeys(v)
			if got := text(keys); !slices.Equal(got, c.keys) {
				t.Errorf("the sources have %q, want %q", got, c.keys)
			}
			if got := text(others); !slices.Equal(got, c.remaining) {
				t.Errorf("the others are %q, want %q", got, c.remaining)
			}
			if !proto.Equal(before, o.OnDemandFeatureViews[0]) {
				t.Error("a definition was changed")
			}
		})
	}
}

func TestDefinitionsThatCannotBeCompiled(t *testing.T) {
	o := trips(nil)
	o.FeatureViews = append(o.FeatureViews, o.FeatureViews[0])
	_, err := o.Compile("taxis")
	_, applied := registry.Apply(&core.Registry{}, "taxis", *o, time.Unix(1, 0))
	if err == nil || applied == nil || err.Error() != applied.Error() {
		t.Errorf("got %v, want the error of an apply: %v", err, applied)
	}
}
