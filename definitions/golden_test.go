package definitions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
)

const golden = "../testdata/golden"

func goldenRegistry(t *testing.T, name string) *core.Registry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	reg := new(core.Registry)
	if err := proto.Unmarshal(b, reg); err != nil {
		t.Fatal(err)
	}
	return reg
}

// repoWith creates a repository of one recorded file.
func repoWith(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(golden, file))
	if err != nil {
		t.Fatal(err)
	}
	return repository(t, map[string]string{"features.py": string(b)})
}

// applied are registries that Feast created from files.
func applied() []struct{ file, registry, project, data string } {
	return []struct{ file, registry, project, data string }{
		{"credit_scoring/feature_repo/features.py", "credit_scoring/registry/1_apply.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features.py", "credit_scoring/registry/4_incremental.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features_changed.py.txt", "credit_scoring/registry/7_apply_changed.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features_removed.py.txt", "credit_scoring/registry/8_apply_removed.db", "credit_scoring_aws", ""},
		{"all_types/feature_repo/features.py", "all_types/registry/1_apply.db", "all_types", "all_types/feature_repo"},
		{"all_types/feature_repo/features_changed.py.txt", "all_types/registry/5_apply_changed.db", "all_types", "all_types/feature_repo"},
		{"versioned/feature_repo/1_v0.py.txt", "versioned/registry/1_v0.db", "credit_scoring_aws", ""},
		{"versioned/feature_repo/2_v1_applied.py.txt", "versioned/registry/2_v1_applied.db", "credit_scoring_aws", ""},
		{"versioned/feature_repo/1_v0.py.txt", "feast_0.67/versioned/registry/1_v0.db", "credit_scoring_aws", ""},
		{"versioned/feature_repo/2_v1_applied.py.txt", "feast_0.67/versioned/registry/2_v1_applied.db", "credit_scoring_aws", ""},
		{"versioned/feature_repo/7_pinned_v0.py.txt", "feast_0.67/versioned/registry/7_pinned_v0.db", "credit_scoring_aws", ""},
	}
}

// inferred loads a file and runs the inference of an apply.
func inferred(t *testing.T, file, project, data string) registry.Objects {
	t.Helper()
	repo, err := definitions.Load(t.Context(), repoWith(t, file), definitions.Options{Project: project})
	if err != nil {
		t.Fatal(err)
	}
	if err := apply.Infer(t.Context(), &repo.Objects, parquet.New(filepath.Join(golden, data))); err != nil {
		t.Fatal(err)
	}
	return repo.Objects
}

// Reading the files and applying them to the registry that Feast created from
// them must change nothing.
func TestWhatFeastAppliedIsReadTheSame(t *testing.T) {
	for _, c := range applied() {
		t.Run(c.registry, func(t *testing.T) {
			objects := inferred(t, c.file, c.project, c.data)
			reg := goldenRegistry(t, c.registry)
			before := proto.Clone(reg)
			changes, err := registry.Apply(reg, c.project, objects, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				t.Errorf("%s %s %s %v", change.Action, change.Kind, change.Name, change.Fields)
			}
			if diff := cmp.Diff(before, proto.Message(reg), protocmp.Transform()); diff != "" && len(changes) == 0 {
				t.Errorf("(-Feast +banquet)\n%s", diff)
			}
		})
	}
}

// byName lists the definitions of a registry by kind and name, without what an
// apply adds: times, projects, intervals, pickles, the dummy entity.
func byName(reg *core.Registry) map[string]proto.Message {
	out := map[string]proto.Message{}
	reg.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !f.IsList() || f.Message() == nil {
			return true
		}
		for i := range v.List().Len() {
			m := proto.Clone(v.List().Get(i).Message().Interface())
			strip(m.ProtoReflect())
			if name := nameOf(m.ProtoReflect()); name != "" && name != registry.DummyEntity {
				out[string(f.Name())+" "+name] = m
			}
		}
		return true
	})
	return out
}

func nameOf(m protoreflect.Message) string {
	if f := m.Descriptor().Fields().ByName("spec"); f != nil {
		m = m.Get(f).Message()
	}
	if f := m.Descriptor().Fields().ByName("name"); f != nil {
		return m.Get(f).String()
	}
	return ""
}

func strip(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "meta" || f.Name() == "project" || f.Name() == "body" && f.Kind() == protoreflect.BytesKind:
			m.Clear(f)
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, item protoreflect.Value) bool {
				strip(item.Message())
				return true
			})
		case f.IsMap():
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				strip(v.List().Get(i).Message())
			}
		case f.Message() != nil:
			strip(v.Message())
		}
		return true
	})
}

// withoutClasses removes the classes of a view's sources: Feast's update in place
// omits them.
func withoutClasses(m proto.Message) {
	v, ok := m.(*core.FeatureView)
	if !ok {
		return
	}
	for _, s := range []*core.DataSource{v.GetSpec().GetBatchSource(), v.GetSpec().GetStreamSource()} {
		if s != nil {
			s.DataSourceClassType = ""
		}
	}
}

// Read objects equal those in Feast's registry, message by message.
func TestObjectsEqualThoseOfFeastsRegistry(t *testing.T) {
	sorted := protocmp.SortRepeated(func(a, b *core.FeatureSpecV2) bool { return a.GetName() < b.GetName() })
	for _, c := range applied() {
		t.Run(c.registry, func(t *testing.T) {
			want := byName(goldenRegistry(t, c.registry))
			objects := inferred(t, c.file, c.project, c.data)
			got := byName(message(objects))
			for name, w := range want {
				if strings.HasPrefix(name, "projects ") && objects.Project == nil || strings.HasPrefix(name, "infra") {
					continue // created by the apply
				}
				g, ok := got[name]
				if !ok {
					t.Errorf("%s is missing", name)
					continue
				}
				if strings.HasSuffix(c.registry, "_changed.db") {
					withoutClasses(w)
					withoutClasses(g)
				}
				if diff := cmp.Diff(w, g, protocmp.Transform(), sorted); diff != "" {
					t.Errorf("%s (-Feast +banquet)\n%s", name, diff)
				}
			}
			for name := range got {
				if want[name] == nil {
					t.Errorf("%s is unexpected", name)
				}
			}
		})
	}
}

func TestPinnedVersionsAreKept(t *testing.T) {
	for file, want := range map[string]string{"versioned/feature_repo/7_pinned_v0.py.txt": "v0", "versioned/feature_repo/1_v0.py.txt": "latest"} {
		repo, err := definitions.Load(t.Context(), repoWith(t, file), definitions.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := repo.Objects.FeatureViews[0].GetSpec().GetVersion(); got != want {
			t.Errorf("%s: version %q, want %q", file, got, want)
		}
	}
}

func TestObjectsComeInTheOrderOfNames(t *testing.T) {
	repo, err := definitions.Load(t.Context(), repoWith(t, "postgres_online/feature_repo/features.py"), definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(repo.Objects.Entities) != 2 || repo.Objects.Entities[0].GetSpec().GetName() != "dob_ssn" || repo.Objects.Entities[1].GetSpec().GetName() != "zipcode" {
		t.Errorf("entities come as %v", repo.Objects.Entities)
	}
}
