package definitions_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions"
)

// No file of definitions makes the reader panic or run without end.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/cases/*.py")
	if err != nil || len(paths) == 0 {
		f.Fatal("there are no cases to start from", err)
	}
	paths = append(paths, golden+"/credit_scoring/feature_repo/features.py", golden+"/all_types/feature_repo/features.py")
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, "features.py"), source, 0o644); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		repo, err := definitions.Load(t.Context(), root, definitions.Options{})
		if (repo == nil) == (err == nil) {
			t.Errorf("Load gives %v, %v", repo, err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct{ name, root string }{
		{"credit_scoring", golden + "/credit_scoring/feature_repo"}, {"all_types", golden + "/all_types/feature_repo"}, {"packages", "testdata/repos/packages"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := definitions.Load(b.Context(), c.root, definitions.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
