package file_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/registry/registrytest"
)

const golden = "../../testdata/golden/credit_scoring/registry/registry_server.db"

func TestContract(t *testing.T) {
	registrytest.Run(t, func(t testing.TB) registrytest.Backend {
		dir := filepath.Join(t.TempDir(), "data")
		path := filepath.Join(dir, "registry.db")
		write := func(t testing.TB, path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return registrytest.Backend{
			Storage: file.New(path),
			Other:   func(testing.TB) registry.Storage { return file.New(path) },
			Damage:  func(t testing.TB) { write(t, path, "not a registry") },
			Outage: func(t testing.TB) {
				if err := os.Rename(dir, dir+".gone"); err != nil {
					t.Fatal(err)
				}
				write(t, dir, "where the directory was")
			},
		}
	})
}

func recorded(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatFeastWroteIsKeptFieldByField(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	b := recorded(t)
	unknown := append(slices.Clone(b), 0xfa, 0x3e, 0x01, 'x') // a field of a later Feast
	if err := os.WriteFile(path, unknown, 0o600); err != nil {
		t.Fatal(err)
	}
	s := file.New(path)
	before, rev, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), before, rev); err != nil {
		t.Fatal(err)
	}
	after, _, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
		t.Errorf("(-Feast +after a save)\n%s", diff)
	}
	if len(after.ProtoReflect().GetUnknown()) == 0 {
		t.Error("the unknown field is gone")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want the one the file had", info.Mode())
	}
}

// Of all prefixes of a registry only those that end between two fields after the
// objects are accepted: a reader cannot distinguish them from a whole registry.
func TestAPartOfARegistryIsNeverSavedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	b := recorded(t)
	s := file.New(path)
	taken := 0
	for n := 0; n < len(b); n++ {
		if n > 64 && proto.Unmarshal(b[:n], new(core.Registry)) != nil && n%97 != 0 {
			continue // no message at all; a sample of these is enough
		}
		if err := os.WriteFile(path, b[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Load(t.Context())
		if err == nil {
			taken++
			continue
		}
		if kind := fault.KindOf(err); kind != fault.Unavailable {
			t.Fatalf("prefix of %d bytes: %v (%v), want an unavailable fault", n, err, kind)
		}
		_, err = registry.Update(t.Context(), s, func(*core.Registry) error { return nil })
		if err == nil {
			t.Fatalf("prefix of %d bytes was saved over", n)
		}
	}
	if taken > 2 {
		t.Errorf("%d prefixes were taken for a registry", taken)
	}
}

func TestASymbolicLinkStaysOne(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "v1.db"), filepath.Join(dir, "registry.db")
	if err := os.WriteFile(target, recorded(t), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("v1.db", link); err != nil {
		t.Fatal(err)
	}
	s := file.New(link)
	if _, err := registry.Update(t.Context(), s, func(r *core.Registry) error { r.Projects[0].Spec.Description = "new"; return nil }); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "v1.db" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	got, _, err := file.New(target).Load(t.Context())
	if err != nil || got.Projects[0].Spec.Description != "new" {
		t.Errorf("the target holds %v, %v", got.GetProjects(), err)
	}
}

func TestASwappedLinkIsAChange(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "registry.db")
	at := time.Now()
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, recorded(t), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	swap := func(to string) {
		t.Helper()
		next := link + ".next"
		if err := os.Symlink(to, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, link); err != nil {
			t.Fatal(err)
		}
	}
	swap("a")
	s := file.New(link)
	_, rev, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	swap("b") // same size, same time, same bytes: another file
	if changed, err := s.Changed(t.Context(), rev); err != nil || !changed {
		t.Errorf("Changed = %v, %v after the link was swapped", changed, err)
	}
}

// TestKilledWhileSaving kills a process that saves again and again, ten times. The
// stored registry must always be complete.
func TestKilledWhileSaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(path, recorded(t), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestSaveForever")
		cmd.Env = append(os.Environ(), "SAVE_FOREVER="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1)
		for range 3 + i { // let some saves pass
			if _, err := out.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if _, _, err := file.New(path).Load(t.Context()); err != nil {
			t.Fatalf("after kill %d: %v", i, err)
		}
		if _, err := registry.Update(t.Context(), file.New(path), func(*core.Registry) error { return nil }); err != nil {
			t.Fatalf("a save after kill %d: %v", i, err)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name := e.Name(); name != "registry.db" && name != ".registry.db.lock" {
				t.Errorf("a save after kill %d has left %s", i, name)
			}
		}
	}
}

// TestSaveForever is the process that TestKilledWhileSaving kills. On its own it saves
// once.
func TestSaveForever(t *testing.T) {
	path := os.Getenv("SAVE_FOREVER")
	once := path == ""
	if once {
		path = filepath.Join(t.TempDir(), "registry.db")
	}
	for i := 0; ; i++ {
		_, err := registry.Update(context.Background(), file.New(path), func(r *core.Registry) error {
			r.Projects = append(r.Projects[:min(1, len(r.Projects))], &core.Project{Spec: &core.ProjectSpec{Name: "p" + strconv.Itoa(i)}})
			return nil
		})
		if err != nil && !errors.Is(err, registry.ErrConflict) {
			t.Fatal(err)
		}
		if once {
			return
		}
		_, _ = os.Stdout.WriteString(".")
	}
}

// A registry that is a pipe or a device is refused at once: opening it would wait for a
// writer.
func TestWhatIsNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "registry.db")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, "/dev/null", "/dev/zero", dir} {
		s := file.New(path)
		if _, _, err := s.Load(t.Context()); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), path) {
			t.Errorf("Load of %s: %v", path, err)
		}
		if filepath.Dir(path) == "/dev" { // Save would make a lock there
			continue
		}
		if _, err := s.Save(t.Context(), stored("a"), ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Save to %s: %v", path, err)
		}
	}
}
