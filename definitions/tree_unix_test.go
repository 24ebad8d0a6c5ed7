//go:build unix

package definitions_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

// A pipe, on which opening would block, is not a file.
func TestPipesAreNotRead(t *testing.T) {
	root := repository(t, map[string]string{"a.py": entityFile("a")})
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.py"), 0o600); err != nil {
		t.Fatal(err)
	}
	repo := loadDir(t, root)
	if got := strings.Join(names(repo), " "); got != "a" {
		t.Errorf("read are %s", got)
	}
}

// A pipe is no module: opening it would wait for ever.
func TestPipesAreNotOpened(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, "helper.py"), 0o600); err != nil {
		t.Fatal(err)
	}
	const source = "from feast import Entity\ntry:\n    import helper\nexcept ImportError:\n    pass\ntry:\n    open('helper.py').read()\nexcept OSError:\n    pass\ne = Entity(name='e')\n"
	if err := os.WriteFile(filepath.Join(root, "features.py"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := definitions.Load(t.Context(), root, definitions.Options{}); err == nil || !strings.Contains(err.Error(), "features.py:7:") {
		t.Errorf("it gives %v", err)
	}
}
