package python_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// FuzzParse reads any text as a file of definitions: it ends soon, with a file
// or an error.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "golden", "*", "feature_repo", "*.py*"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	for _, s := range []string{"((((", "f'{a!r:>{w}}'", "x = 0x", "@a\n", "if x:\n\ty\n        z", "\"\"\"", "match x:\n case [1, *y]: pass\n", "lambda: (yield)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		began := time.Now()
		_ = python.Parses(&python.File{Name: "features.py", Source: text})
		if d := time.Since(began); d > 5*time.Second {
			t.Fatalf("took %s", d)
		}
	})
}
