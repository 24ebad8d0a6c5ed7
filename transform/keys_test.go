package transform

import (
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

func TestCompileWith(t *testing.T) {
	key := func(name string) *core.FeatureSpecV2 {
		return &core.FeatureSpecV2{Name: name, ValueType: types.ValueType_INT64}
	}
	text := &core.FeatureSpecV2{Name: "id", ValueType: types.ValueType_STRING}
	for _, c := range []struct {
		name, body string
		keys, more []*core.FeatureSpecV2
		want       []string // the inputs
		err        string
	}{
		{"a key of the first", `inputs["id"] * inputs["n"]`, []*core.FeatureSpecV2{key("id")}, []*core.FeatureSpecV2{key("n")}, []string{"n of v", "id"}, ""},
		{"more keys are not ambiguous without need", `inputs["n"] * 2`, nil, []*core.FeatureSpecV2{key("n")}, []string{"n of v"}, ""},
		{"a key of the others", `inputs["other"] * inputs["n"]`, []*core.FeatureSpecV2{key("id")}, []*core.FeatureSpecV2{key("other")}, []string{"n of v", "other"}, ""},
		{"the first of one name counts", `inputs["other"] * inputs["id"]`, []*core.FeatureSpecV2{key("id")}, []*core.FeatureSpecV2{text, key("other"), key("other")}, []string{"id", "other"}, ""},
		{"the first error is returned", `inputs["none"] * inputs["n"]`, []*core.FeatureSpecV2{key("id")}, []*core.FeatureSpecV2{key("n")}, nil, `no source of the view has the column "none"`},
		{"no more keys", `inputs["other"] * 2`, []*core.FeatureSpecV2{key("id")}, nil, nil, `no source of the view has the column "other"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view("pandas", "def fn(inputs):\n    out = pd.DataFrame()\n    out[\"x\"] = "+c.body+"\n    return out\n",
				[]Field{{"n", types.ValueType_INT64}}, nil, []Field{{"x", types.ValueType_INT64}})
			p, err := CompileWith(v, c.keys, c.more)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, in := range p.Inputs() {
				name := in.Name
				if in.View != "" {
					name += " of " + in.View
				}
				got = append(got, name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the inputs are %q, want %q", got, c.want)
			}
		})
	}
}
