package registry_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/registrytest"
)

// registries are those that Feast has recorded, and one with everything.
func registries(t *testing.T) map[string]*core.Registry {
	t.Helper()
	all := map[string]*core.Registry{"everything": registrytest.Full(), "nothing": {}}
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "*", "registry", "*.db"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d recorded registries, %v", len(paths), err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reg := &core.Registry{}
		if err := proto.Unmarshal(b, reg); err != nil {
			t.Fatal(err)
		}
		all[path] = reg
	}
	return all
}

// A registry is the sum of its rows, in whatever order they are, and each row can be read
// back by its key.
func TestARegistryIsTheSumOfItsRows(t *testing.T) {
	for path, reg := range registries(t) {
		before := proto.CloneOf(reg)
		rows := registry.Rows(reg)
		seen := map[registry.Key]bool{}
		for i, r := range rows {
			if seen[r.Key] {
				t.Errorf("%s: two rows %v", path, r.Key)
			}
			seen[r.Key] = true
			b, err := proto.Marshal(r.Message)
			if err != nil {
				t.Fatal(err)
			}
			back := r.New()
			if err := proto.Unmarshal(b, back); err != nil || !proto.Equal(back, r.Message) {
				t.Errorf("%s: row %v is read back as %v, %v", path, r.Key, back, err)
			}
			rows[i].Message = back
		}
		slices.Reverse(rows)
		sum, err := registry.FromRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		if put, gone := registry.RowChanges(before, sum); len(put)+len(gone) != 0 || proto.Size(sum) != proto.Size(before) {
			t.Errorf("%s: the sum differs in %v, %v; %d bytes of %d", path, put, gone, proto.Size(sum), proto.Size(before))
		}
		if !proto.Equal(reg, before) {
			t.Errorf("%s is changed", path)
		}
	}
}

func TestRowChanges(t *testing.T) {
	full := registrytest.Full()
	edit := func(do func(*core.Registry)) *core.Registry {
		next := proto.CloneOf(full)
		do(next)
		return next
	}
	view := registry.Key{List: "feature_views", Project: "p", Name: "feature_views0"}
	rest := registry.Key{}
	for name, c := range map[string]struct {
		next      *core.Registry
		put, gone []registry.Key
	}{
		"nothing":              {proto.CloneOf(full), nil, nil},
		"the order of objects": {edit(func(r *core.Registry) { slices.Reverse(r.FeatureViews) }), nil, nil},
		"a field of an object": {edit(func(r *core.Registry) { r.FeatureViews[0].Spec.Owner = "me" }), []registry.Key{view}, nil},
		"an object less":       {edit(func(r *core.Registry) { r.FeatureViews = r.FeatureViews[1:] }), nil, []registry.Key{view}},
		"an unknown field":     {edit(func(r *core.Registry) { r.ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 0x01, 'x'}) }), []registry.Key{rest}, nil},
		"the last write":       {edit(func(r *core.Registry) { r.VersionId = "2" }), []registry.Key{rest}, nil},
		"infrastructure":       {edit(func(r *core.Registry) { r.Infra.InfraObjects = nil }), []registry.Key{rest}, nil},
		"a version less": {edit(func(r *core.Registry) {
			r.FeatureViewVersionHistory.Records = r.FeatureViewVersionHistory.Records[1:]
		}), nil, []registry.Key{{List: "feature_view_version_history", Project: "p", Name: "feature_views0"}}},
		"a name that is there twice": {edit(func(r *core.Registry) {
			r.FeatureViews = append(r.FeatureViews, proto.CloneOf(r.FeatureViews[0]))
		}), []registry.Key{{List: view.List, Project: view.Project, Name: view.Name, Copy: 1}}, nil},
	} {
		put, gone := registry.RowChanges(full, c.next)
		var keys []registry.Key
		for _, r := range put {
			keys = append(keys, r.Key)
		}
		if !slices.Equal(keys, c.put) || !slices.Equal(gone, c.gone) {
			t.Errorf("%s: written %v, removed %v", name, keys, gone)
		}
	}
	if put, gone := registry.RowChanges(nil, full); len(put) != len(registry.Rows(full)) || gone != nil {
		t.Errorf("of a first registry %d rows are written, %v removed", len(put), gone)
	}
}

// Rows of a damaged table are refused.
func TestRowsOfTheWrongType(t *testing.T) {
	for name, r := range map[string]registry.Row{
		"another type": {Key: registry.Key{List: "entities"}, Message: &core.FeatureView{}},
		"no message":   {Key: registry.Key{List: "entities"}},
		"no list":      {Key: registry.Key{List: "version_id"}, Message: &core.Entity{}},
		"unknown list": {Key: registry.Key{List: "wishes"}, Message: &core.Entity{}},
	} {
		if reg, err := registry.FromRows([]registry.Row{r}); err == nil {
			t.Errorf("%s: %v", name, reg)
		}
	}
	for _, list := range []string{"version_id", "infra", "wishes"} {
		if m := (registry.Key{List: list}).New(); m != nil {
			t.Errorf("%s has rows of type %T", list, m)
		}
	}
}
