package registry_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// The text of a plan has a line for each object in the order of Feast's kinds, and one
// for each changed field; data sources and the dummy entity are not in it.
func TestTheTextOfAPlan(t *testing.T) {
	reg := &core.Registry{}
	write := func(o registry.Objects, colors bool) string {
		t.Helper()
		var text strings.Builder
		applied(t, reg, o, monday).WriteText(&text, colors)
		return text.String()
	}
	o := carts("items")
	o.Entities = []*core.Entity{{Spec: &core.EntitySpecV2{Name: "shopper", JoinKey: "shopper"}}}
	o.OnDemandFeatureViews = []*core.OnDemandFeatureView{onDemandView("scaled")}
	for i, step := range []struct {
		edit func(o *registry.Objects)
		want string
	}{
		{func(*registry.Objects) {}, "Created project shop\nCreated entity shopper\nCreated feature view carts\nCreated on demand feature view scaled\nCreated feature service all\n"},
		{func(*registry.Objects) {}, "No changes to registry\n"},
		{func(o *registry.Objects) { o.DataSources[0].Description = "quiet" }, "No changes to registry\n"},
		{func(o *registry.Objects) {
			o.FeatureViews[0].Spec.Ttl, o.FeatureViews[0].Spec.Tags = durationpb.New(90e9), map[string]string{"b": "2", "a": "1"}
			o.FeatureViews[0].Spec.Description = "of a shopper"
		}, "Updated feature view carts\n\ttags: none -> {a: 1, b: 2}\n\tttl: none -> seconds:90\n\tdescription:  -> of a shopper\n"},
		{func(o *registry.Objects) {
			o.OnDemandFeatureViews, o.Entities, o.FeatureServices[0].Spec.Owner = nil, nil, "me"
		}, "Deleted entity shopper\nDeleted on demand feature view scaled\nUpdated feature service all\n\towner:  -> me\n"},
	} {
		step.edit(&o)
		if got := write(o, false); got != step.want {
			t.Errorf("step %d:\n%s\nwant\n%s", i, got, step.want)
		}
	}
	o.FeatureServices = nil
	if got := write(o, true); got != "\x1b[31mDeleted feature service all\x1b[0m\n" {
		t.Errorf("%q", got)
	}
}

// The name of a record's part differs for different names, has no slash and fits into the
// name of a file.
func TestPartsOfRecords(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"", "a", "A", "a/b", "a%2Fb", "a%252Fb", "..", "고객", strings.Repeat("고", 7), strings.Repeat("고", 8), strings.Repeat("고", 300),
		strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 65), "%~", "%~" + strings.Repeat("0", 60), "a b", "a+b", "a\x00b",
	} {
		part := registry.RecordPart(name)
		if other, ok := seen[part]; ok {
			t.Errorf("%q and %q are both %s", name, other, part)
		}
		seen[part] = name
		if len(part) > 63 || strings.ContainsAny(part, "/\x00") {
			t.Errorf("%q is %q", name, part)
		}
		if again := registry.RecordPart(name); again != part {
			t.Errorf("%q is %s, and then %s", name, part, again)
		}
	}
}

func TestReferences(t *testing.T) {
	for text, want := range map[string]registry.Reference{
		"carts:items":                       {View: "carts", Version: -1, Feature: "items"},
		"carts:a:b":                         {View: "carts", Version: -1, Feature: "a:b"},
		"carts@v2:items":                    {View: "carts", Version: 2, Feature: "items"},
		"carts@V2:items":                    {View: "carts", Version: 2, Feature: "items"},
		"carts@v0:items":                    {View: "carts", Version: 0, Feature: "items"},
		"carts@latest:items":                {View: "carts", Version: -1, Feature: "items"},
		"carts@LATEST:items":                {View: "carts", Version: -1, Feature: "items"},
		"carts@:items":                      {View: "carts", Version: -1, Feature: "items"},
		"carts@beta:items":                  {View: "carts@beta", Version: -1, Feature: "items"},
		"carts@v-1:items":                   {View: "carts@v-1", Version: -1, Feature: "items"},
		"carts@vx:items":                    {View: "carts@vx", Version: -1, Feature: "items"},
		":items":                            {View: "", Version: -1, Feature: "items"},
		"carts:":                            {View: "carts", Version: -1, Feature: ""},
		"carts:items@v2":                    {View: "carts", Version: -1, Feature: "items@v2"},
		"carts@v99999999999999999999:items": {View: "carts", Version: 1<<63 - 1, Feature: "items"},
	} {
		got, err := registry.ParseReference(text)
		if err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "items", "carts@v2"} {
		if got, err := registry.ParseReference(text); err == nil || !strings.Contains(err.Error(), "'"+text+"'") {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}

func FuzzReference(f *testing.F) {
	for _, text := range []string{"a:b", "a@v1:b", "a@latest:b", "@:", "a@v:b", "a@v1@v2:c", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := registry.ParseReference(text)
		if err != nil {
			if strings.Contains(text, ":") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if !strings.HasPrefix(text, r.View) || !strings.HasSuffix(text, ":"+r.Feature) || strings.Contains(r.View, ":") || r.Version < -1 {
			t.Errorf("%q is %+v", text, r)
		}
	})
}
