package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// A view whose function Feast cannot load from source text is refused, gets the
// substitute for the pickle, or keeps the pickle of the registry.
func TestFunctionsKeepOrGetAPickle(t *testing.T) {
	view := func(body, text string) *core.StreamFeatureView {
		return &core.StreamFeatureView{Spec: &core.StreamFeatureViewSpec{
			Name: "v", UserDefinedFunction: &core.UserDefinedFunction{Name: "f", Body: []byte(body), BodyText: text},
			FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
				UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "f", Body: []byte(body), BodyText: text},
			}},
		}}
	}
	refusal := errors.New("function f uses 'K'")
	for _, c := range []struct {
		name, stored, text string
		objects            registry.Objects
		want               string // the pickle; empty when it is refused
	}{
		{"refused", "", "a", registry.Objects{Unreadable: map[string]error{"v": refusal}}, ""},
		{"refused since the text is another", "old", "b", registry.Objects{Unreadable: map[string]error{"v": refusal}}, ""},
		{"kept", "old", "a", registry.Objects{Unreadable: map[string]error{"v": refusal}}, "old"},
		{"kept though there is another", "old", "a", registry.Objects{Pickles: map[string][]byte{"v": []byte("new")}}, "old"},
		{"given", "", "a", registry.Objects{Pickles: map[string][]byte{"v": []byte("new")}}, "new"},
		{"given to a new text", "old", "b", registry.Objects{Pickles: map[string][]byte{"v": []byte("new")}}, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := &core.Registry{}
			if c.stored != "" {
				first := registry.Objects{StreamFeatureViews: []*core.StreamFeatureView{view(c.stored, "a")}}
				if _, err := registry.Apply(reg, "p", first, time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
			}
			c.objects.StreamFeatureViews = []*core.StreamFeatureView{view("", c.text)}
			_, err := registry.Apply(reg, "p", c.objects, time.Unix(2, 0))
			if c.want == "" {
				if !errors.Is(err, refusal) {
					t.Errorf("got %v, want the refusal", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			spec := reg.GetStreamFeatureViews()[0].GetSpec()
			got := spec.GetFeatureTransformation().GetUserDefinedFunction().GetBody()
			if string(got) != c.want || string(spec.GetUserDefinedFunction().GetBody()) != c.want {
				t.Errorf("the pickles are %q and %q", got, spec.GetUserDefinedFunction().GetBody())
			}
		})
	}
}

// The features of a stream view may have any order: Feast writes them from a set.
func TestTheOrderOfAStreamViewsFeaturesIsNoChange(t *testing.T) {
	view := func(names ...string) registry.Objects {
		spec := &core.StreamFeatureViewSpec{Name: "v"}
		for _, n := range names {
			spec.Features = append(spec.Features, &core.FeatureSpecV2{Name: n, ValueType: 4})
		}
		return registry.Objects{StreamFeatureViews: []*core.StreamFeatureView{{Spec: spec}}}
	}
	reg := &core.Registry{}
	for i, names := range [][]string{{"a", "b", "c"}, {"c", "a", "b"}} {
		changes, err := registry.Apply(reg, "p", view(names...), time.Unix(1, 0))
		if err != nil || changes.Loud() != (i == 0) {
			t.Errorf("%v: %v, %v", names, changes, err)
		}
	}
}
