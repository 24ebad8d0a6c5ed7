package definitions_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
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

// repoWith makes a repository of one recorded file.
func repoWith(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(golden, file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "features.py"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Reading the files and applying them to the registry that Feast made of them
// must change nothing at all.
func TestWhatFeastAppliedIsReadTheSame(t *testing.T) {
	for _, c := range []struct{ file, registry, project, data string }{
		{"credit_scoring/feature_repo/features.py", "credit_scoring/registry/1_apply.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features.py", "credit_scoring/registry/4_incremental.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features_changed.py.txt", "credit_scoring/registry/7_apply_changed.db", "credit_scoring_aws", ""},
		{"credit_scoring/feature_repo/features_removed.py.txt", "credit_scoring/registry/8_apply_removed.db", "credit_scoring_aws", ""},
		{"all_types/feature_repo/features.py", "all_types/registry/1_apply.db", "all_types", "all_types/feature_repo"},
		{"versioned/feature_repo/1_v0.py.txt", "versioned/registry/1_v0.db", "credit_scoring_aws", ""},
		{"versioned/feature_repo/2_v1_applied.py.txt", "versioned/registry/2_v1_applied.db", "credit_scoring_aws", ""},
	} {
		t.Run(c.registry, func(t *testing.T) {
			repo, err := definitions.Load(t.Context(), repoWith(t, c.file), definitions.Options{Project: c.project})
			if err != nil {
				t.Fatal(err)
			}
			if err := apply.Infer(t.Context(), &repo.Objects, parquet.New(filepath.Join(golden, c.data))); err != nil {
				t.Fatal(err)
			}
			reg := goldenRegistry(t, c.registry)
			before := proto.Clone(reg)
			changes, err := registry.Apply(reg, c.project, repo.Objects, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				t.Errorf("%s %s %s", change.Action, change.Kind, change.Name)
				for _, f := range change.Fields {
					t.Errorf("   %s: %s -> %s", f.Field, f.Old, f.New)
				}
			}
			if diff := cmp.Diff(before, proto.Message(reg), protocmp.Transform()); diff != "" && len(changes) == 0 {
				t.Errorf("(-Feast +banquet)\n%s", diff)
			}
		})
	}
}
