package file_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

// A link to a file that does not exist yet, as on a volume that is still empty, stays a
// link: the registry is made where it leads.
func TestALinkToAFileThatDoesNotExistYet(t *testing.T) {
	volume, repo := t.TempDir(), t.TempDir()
	link := filepath.Join(repo, "registry.db")
	if err := os.Symlink(filepath.Join(volume, "registry.db"), filepath.Join(repo, "second")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("second", link); err != nil {
		t.Fatal(err)
	}
	s := file.New(link)
	if err := s.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), &core.Registry{RegistrySchemaVersion: "1"}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(volume, "registry.db")); err != nil {
		t.Error("the volume has no registry:", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is gone:", info, err)
	}
}

func TestALinkToItself(t *testing.T) {
	link := filepath.Join(t.TempDir(), "registry.db")
	if err := os.Symlink("registry.db", link); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{file.New(link).Writable(t.Context()), second(file.New(link).Save(t.Context(), &core.Registry{}, ""))} {
		if err == nil || fault.KindOf(err) == fault.NotFound {
			t.Error(err)
		}
	}
}

func second(_ registry.Revision, err error) error { return err }

// restricted is set in the process that runs as a user without rights.
const restricted = "BANQUET_TEST_DIRECTORY"

// The superuser may write everywhere, so this test runs in a process of another user.
func TestRights(t *testing.T) {
	if dir := os.Getenv(restricted); dir != "" {
		rights(t, dir)
		return
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil && !errors.Is(err, fs.ErrPermission) {
			t.Fatal(err)
		}
	}
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for _, sub := range []string{open, closed} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := file.New(filepath.Join(sub, "registry.db")).Save(t.Context(), stored("a"), ""); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(sub, ".registry.db.lock")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(open, "registry.db"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(closed, "registry.db"), 0o444); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{open, closed} {
		if err := os.Chmod(sub, 0o555); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Chmod(sub, 0o755) }()
	}
	lock := shared(t, filepath.Join(dir, "shared"))
	defer lock.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test")
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, b, 0o755); err != nil { // the other user may not reach the original
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestRights$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), restricted+"="+dir)
	if os.Getuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// shared makes a directory for two users, of which this one writes to the registry at
// present, and returns its lock.
func shared(t *testing.T, dir string) *os.File {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "registry.db")
	if _, err := file.New(path).Save(t.Context(), stored("a"), ""); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{dir: 0o777, path: 0o666} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".registry.db.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return lock
}

func stored(project string) *core.Registry {
	return &core.Registry{
		RegistrySchemaVersion: "1", VersionId: "1", LastUpdated: timestamppb.Now(),
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: project}}},
	}
}

// rights runs as the user without rights.
func rights(t *testing.T, dir string) {
	open := file.New(filepath.Join(dir, "open", "registry.db"))
	if err := open.Writable(t.Context()); err != nil {
		t.Error("a file that may be written in a directory that may not:", err)
	}
	_, err := registry.Update(t.Context(), open, func(reg *core.Registry) error {
		reg.Projects[0].Spec.Name = "b"
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if reg, _, err := open.Load(t.Context()); err != nil || reg.Projects[0].Spec.Name != "b" {
		t.Error(reg, err)
	}
	for _, path := range []string{filepath.Join(dir, "closed", "registry.db"), filepath.Join(dir, "closed", "sub", "registry.db")} {
		s := file.New(path)
		err := s.Writable(t.Context())
		if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = registry.Update(ctx, file.New(filepath.Join(dir, "shared", "registry.db")), func(reg *core.Registry) error {
		reg.Projects[0].Spec.Name = "b"
		return nil
	})
	if fault.KindOf(err) != fault.TimedOut {
		t.Error("a registry is written that another user has locked:", err)
	}
}
