package file_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry/file"
)

// A writer that waits for the lock stops when its context is done, and gets the lock
// as soon as the other writer has ended.
func TestALockedRegistry(t *testing.T) {
	dir := t.TempDir()
	other, err := os.Create(filepath.Join(dir, ".registry.db.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	s := file.New(filepath.Join(dir, "registry.db"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = s.Save(ctx, &core.Registry{RegistrySchemaVersion: "1"}, "")
	if took := time.Since(began); fault.KindOf(err) != fault.TimedOut || took > 10*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	saved := make(chan error, 1)
	go func() {
		_, err := s.Save(t.Context(), &core.Registry{RegistrySchemaVersion: "1"}, "")
		saved <- err
	}()
	select {
	case err := <-saved:
		t.Errorf("the lock is held, and Save ends: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := <-saved; err != nil {
		t.Error(err)
	}
}
