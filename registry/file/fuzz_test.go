package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

// FuzzLoad loads any bytes: the result is a snapshot or an error.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "golden", "*", "registry", "*.db"))
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "registry.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		reg, _, err := file.New(path).Load(t.Context())
		if err != nil {
			return
		}
		if s, err := registry.OpenSnapshot(reg, registry.Options{}); err == nil {
			for _, name := range s.Projects() {
				if p, err := s.Project(name); err == nil {
					_, _ = p.Dump()
				}
			}
		}
	})
}
