//go:build unix

package definitions_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
