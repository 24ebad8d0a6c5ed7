package registry_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

const credit = "credit_scoring_aws"

func goldenPath(parts ...string) string {
	return filepath.Join(append([]string{"..", "testdata", "golden"}, parts...)...)
}

// goldenRegistry reads a registry file that Feast wrote.
func goldenRegistry(t testing.TB, parts ...string) *core.Registry {
	t.Helper()
	b, err := os.ReadFile(goldenPath(parts...))
	if err != nil {
		t.Fatal(err)
	}
	reg := new(core.Registry)
	if err := proto.Unmarshal(b, reg); err != nil {
		t.Fatal(err)
	}
	return reg
}

// objectsOf turns a registry's objects into definitions, as a repository defines
// them: without times, versions and intervals.
func objectsOf(reg *core.Registry, project string) registry.Objects {
	reg, _ = proto.Clone(reg).(*core.Registry)
	var o registry.Objects
	for _, p := range reg.Projects {
		if p.Spec.Name == project {
			p.Meta = nil
			o.Project = p
		}
	}
	for _, e := range reg.Entities {
		if e.Spec.Project == project && e.Spec.Name != registry.DummyEntity {
			e.Meta = nil
			o.Entities = append(o.Entities, e)
		}
	}
	for _, s := range reg.DataSources {
		if s.Project == project {
			s.Meta = nil
			o.DataSources = append(o.DataSources, s)
		}
	}
	for _, v := range reg.FeatureViews {
		if v.Spec.Project == project {
			v.Meta = nil
			o.FeatureViews = append(o.FeatureViews, v)
		}
	}
	for _, v := range reg.OnDemandFeatureViews {
		if v.Spec.Project == project {
			v.Meta = nil
			o.OnDemandFeatureViews = append(o.OnDemandFeatureViews, v)
		}
	}
	for _, s := range reg.FeatureServices {
		if s.Spec.Project == project {
			s.Meta = nil
			o.FeatureServices = append(o.FeatureServices, s)
		}
	}
	for _, p := range reg.Permissions {
		if p.Spec.Project == project {
			p.Meta = nil
			o.Permissions = append(o.Permissions, p)
		}
	}
	return o
}

// withoutClock compares registries without times, ids and parts that are arbitrary in
// Feast: the order of objects, pickles, the Python class of a stream source that an
// in-place update drops.
func withoutClock() cmp.Option {
	return cmp.Options{
		protocmp.Transform(),
		protocmp.IgnoreFields(&core.Registry{}, "version_id", "last_updated"),
		protocmp.IgnoreFields(&core.EntityMeta{}, "created_timestamp", "last_updated_timestamp"),
		protocmp.IgnoreFields(&core.FeatureViewMeta{}, "created_timestamp", "last_updated_timestamp", "version_id"),
		protocmp.IgnoreFields(&core.OnDemandFeatureViewMeta{}, "created_timestamp", "last_updated_timestamp", "version_id"),
		protocmp.IgnoreFields(&core.FeatureServiceMeta{}, "created_timestamp", "last_updated_timestamp"),
		protocmp.IgnoreFields(&core.ProjectMeta{}, "created_timestamp", "last_updated_timestamp"),
		protocmp.IgnoreFields(&core.PermissionMeta{}, "created_timestamp", "last_updated_timestamp"),
		protocmp.IgnoreFields(&core.FeatureViewVersionRecord{}, "created_timestamp", "version_id", "feature_view_proto"),
		protocmp.IgnoreFields(&core.UserDefinedFunctionV2{}, "body"),
		protocmp.IgnoreFields(&core.DataSource{}, "meta", "data_source_class_type"),
		protocmp.SortRepeated(func(a, b *core.Entity) bool { return a.GetSpec().GetName() < b.GetSpec().GetName() }),
		protocmp.SortRepeated(func(a, b *core.DataSource) bool { return a.GetName() < b.GetName() }),
		protocmp.SortRepeated(func(a, b *core.FeatureView) bool { return a.GetSpec().GetName() < b.GetSpec().GetName() }),
		protocmp.SortRepeated(func(a, b *core.OnDemandFeatureView) bool { return a.GetSpec().GetName() < b.GetSpec().GetName() }),
		protocmp.SortRepeated(func(a, b *core.FeatureService) bool { return a.GetSpec().GetName() < b.GetSpec().GetName() }),
		protocmp.SortRepeated(func(a, b *core.FeatureViewVersionRecord) bool {
			if a.GetFeatureViewName() != b.GetFeatureViewName() {
				return a.GetFeatureViewName() < b.GetFeatureViewName()
			}
			return a.GetVersionNumber() < b.GetVersionNumber()
		}),
	}
}

func TestApplyMakesTheRegistryThatFeastMakes(t *testing.T) {
	for _, c := range []struct {
		name, before, after, project string
		loud                         bool
	}{
		{"a first apply", "", "credit_scoring/registry/1_apply.db", credit, true},
		{"the same once more", "credit_scoring/registry/1_apply.db", "credit_scoring/registry/1b_apply_again.db", credit, false},
		{"edited definitions", "credit_scoring/registry/6_http_materialize.db", "credit_scoring/registry/7_apply_changed.db", credit, true},
		{"a first apply of every type", "", "all_types/registry/1_apply.db", "all_types", true},
		{"every type, edited", "all_types/registry/4_http_writes.db", "all_types/registry/5_apply_changed.db", "all_types", true},
		{"a second version", "versioned/registry/1_v0.db", "versioned/registry/2_v1_applied.db", credit, true},
		{"a second version, 0.67", "feast_0.67/versioned/registry/1_v0.db", "feast_0.67/versioned/registry/2_v1_applied.db", credit, true},
		{"a pinned view, 0.67", "feast_0.67/versioned/registry/5_unchanged_apply.db", "feast_0.67/versioned/registry/6_pinned_conflict.db", credit, true},
		{"another pin, 0.67", "feast_0.67/versioned/registry/6_pinned_conflict.db", "feast_0.67/versioned/registry/7_pinned_v0.db", credit, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := &core.Registry{RegistrySchemaVersion: registry.SchemaVersion}
			if c.before != "" {
				got = goldenRegistry(t, c.before)
			}
			want := goldenRegistry(t, c.after)
			changes, err := registry.Apply(got, c.project, objectsOf(want, c.project), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if changes.Loud() != c.loud {
				t.Errorf("loud changes: %v, want %v: %+v", changes.Loud(), c.loud, changes)
			}
			opts := cmp.Options{withoutClock(), protocmp.IgnoreFields(&core.Registry{}, "infra")}
			if diff := cmp.Diff(want, got, opts); diff != "" {
				t.Errorf("(-Feast +banquet)\n%s", diff)
			}
		})
	}
}

func TestAnUnchangedApplyLeavesTheRegistryAlone(t *testing.T) {
	for _, name := range []string{"credit_scoring/registry/1_apply.db", "credit_scoring/registry/4_incremental.db", "all_types/registry/3_incremental.db", "versioned/registry/3_v1_materialized.db"} {
		reg := goldenRegistry(t, name)
		before, _ := proto.Clone(reg).(*core.Registry)
		project := reg.Projects[0].Spec.Name
		changes, err := registry.Apply(reg, project, objectsOf(reg, project), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) != 0 {
			t.Errorf("%s: changes of an unchanged apply: %+v", name, changes)
		}
		if diff := cmp.Diff(before, reg, protocmp.Transform()); diff != "" {
			t.Errorf("%s: the registry is another (-before +after)\n%s", name, diff)
		}
		var text bytes.Buffer
		changes.WriteText(&text, false)
		if got := text.String(); got != "No changes to registry\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestApplyRemovesOnlyItsOwnProjectsObjects(t *testing.T) {
	reg := goldenRegistry(t, "credit_scoring/registry/4_incremental.db")
	other := goldenRegistry(t, "all_types/registry/1_apply.db")
	if _, err := registry.Apply(reg, "all_types", objectsOf(other, "all_types"), time.Now()); err != nil {
		t.Fatal(err)
	}
	want := goldenRegistry(t, "credit_scoring/registry/4_incremental.db")
	if _, err := registry.Apply(reg, "all_types", registry.Objects{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, v := range want.FeatureViews {
		if !slices.ContainsFunc(reg.FeatureViews, func(g *core.FeatureView) bool { return proto.Equal(g, v) }) {
			t.Errorf("view %s of the other project is gone or changed", v.Spec.Name)
		}
	}
	for _, v := range reg.FeatureViews {
		if v.Spec.Project == "all_types" {
			t.Errorf("view %s is still there", v.Spec.Name)
		}
	}
}

func TestRecordMaterializationIsFeasts(t *testing.T) {
	reg := goldenRegistry(t, "credit_scoring/registry/1b_apply_again.db")
	start, end := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, v := range []string{"credit_inquiries", "zipcode_features", "credit_history"} {
		if err := registry.RecordMaterialization(reg, credit, v, start, end, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	want := goldenRegistry(t, "credit_scoring/registry/2_materialize.db")
	if diff := cmp.Diff(want, reg, withoutClock()); diff != "" {
		t.Errorf("(-Feast +banquet)\n%s", diff)
	}
}

func TestARecordedWindowIsNeverReversedNorAfterNow(t *testing.T) {
	reg := goldenRegistry(t, "credit_scoring/registry/1b_apply_again.db")
	now := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	if err := registry.RecordMaterialization(reg, credit, "zipcode_features", now.Add(-time.Hour), now.Add(time.Hour), now); err != nil {
		t.Fatal(err)
	}
	for _, v := range reg.FeatureViews {
		for _, i := range v.Meta.MaterializationIntervals {
			if end := i.EndTime.AsTime(); end.After(now) {
				t.Errorf("recorded end %v lies after now", end)
			}
		}
	}
	err := registry.RecordMaterialization(reg, credit, "zipcode_features", now, now.Add(-time.Hour), now)
	if !errors.Is(err, registry.ErrNoChange) {
		t.Errorf("a reversed window: %v, want ErrNoChange", err)
	}
}

func TestDumpIsFeasts(t *testing.T) {
	files, err := filepath.Glob(goldenPath("credit_scoring/registry/*.dump.json"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d recorded dumps, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		reg := goldenRegistry(t, "credit_scoring/registry", name[:len(name)-len(".dump.json")]+".db")
		snapshot, err := registry.OpenSnapshot(reg, registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		project, err := snapshot.Project(credit)
		if err != nil {
			continue // after a teardown there is nothing to dump
		}
		got, err := project.Dump()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dumpLines(t, want), dumpLines(t, got)); diff != "" {
			t.Errorf("%s (-Feast +banquet)\n%s", name, diff)
		}
	}
}

// dumpLines returns the lines of a dump, without the times of request sources in
// on-demand views, which Feast sets to the time of writing.
func dumpLines(t *testing.T, b []byte) []string {
	t.Helper()
	var lines []string
	inside := false
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		switch {
		case strings.Contains(line, `"requestDataSource": {`):
			inside = true
		case strings.Contains(line, `"requestDataOptions"`):
			inside = false
		}
		if inside && strings.Contains(line, "Timestamp\":") {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}
