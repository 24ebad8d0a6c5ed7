package registry_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

// until waits up to two seconds for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what + " did not happen")
		}
	}
}

// TestHolderFollowsSymlinkSwaps mounts the registry as Kubernetes mounts a
// ConfigMap: registry.db links into ..data, which links to a directory that is
// replaced as a whole.
func TestHolderFollowsSymlinkSwaps(t *testing.T) {
	dir := t.TempDir()
	version := func(n int, step string) {
		t.Helper()
		d := filepath.Join(dir, fmt.Sprintf("..v%d", n))
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "credit_scoring", "registry", step+".db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "registry.db"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		next := filepath.Join(dir, "..next")
		if err := os.Symlink(filepath.Base(d), next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version(0, "1_apply")
	path := filepath.Join(dir, "registry.db")
	if err := os.Symlink(filepath.Join("..data", "registry.db"), path); err != nil {
		t.Fatal(err)
	}
	h := registry.NewHolder(registry.HolderOptions{Storage: file.New(path), Project: "credit_scoring_aws", Every: 5 * time.Millisecond})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	steps := []string{"9_delete_service", "1_apply"} // three services at first, then fewer
	for i := range 10 {
		before := h.Snapshot()
		version(i+1, steps[i%2])
		until(t, fmt.Sprintf("swap %d", i+1), func() bool { return h.Snapshot() != before })
		p, err := h.Snapshot().Project("credit_scoring_aws")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(p.FeatureServices()); (n == 3) != (i%2 == 1) {
			t.Errorf("swap %d: %d services", i+1, n)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestHolderKeepsTheLastGoodOne breaks the file in several ways.
func TestHolderKeepsTheLastGoodOne(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "credit_scoring", "registry", "4_incremental.db"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "all_types", "registry", "1_apply.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "registry.db")
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	h := registry.NewHolder(registry.HolderOptions{Storage: file.New(path), Project: "credit_scoring_aws"})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	inForce := h.Snapshot()
	for name, spoil := range map[string]func(){
		"emptied":         func() { write(nil) },
		"torn":            func() { write(good[:len(good)/2]) },
		"not a registry":  func() { write([]byte("<html>404</html>")) },
		"another project": func() { write(other) },
		"deleted": func() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			spoil()
			if err := h.Refresh(t.Context()); err == nil || h.Status().Err == nil {
				t.Error("the fault is not reported")
			}
			if h.Snapshot() != inForce {
				t.Error("the snapshot was replaced")
			}
			write(good)
			if err := h.Refresh(t.Context()); err != nil || h.Status().Err != nil {
				t.Errorf("it does not recover: %v", err)
			}
			inForce = h.Snapshot()
		})
	}
}

// hanging is a storage that hangs after a while, as a network file system may.
type hanging struct {
	registry.Storage
	stuck chan struct{}
}

func (h hanging) Changed(context.Context, registry.Revision) (bool, error) {
	<-h.stuck
	return false, nil
}

func TestAHangingStorageHoldsNobody(t *testing.T) {
	stuck := make(chan struct{})
	storage := hanging{file.New(filepath.Join("..", "testdata", "golden", "credit_scoring", "registry", "4_incremental.db")), stuck}
	h := registry.NewHolder(registry.HolderOptions{Storage: storage, Project: "credit_scoring_aws", Every: 5 * time.Millisecond})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	first := h.Status().Checked
	<-time.After(50 * time.Millisecond)
	if st := h.Status(); st.Err != nil || !st.Checked.Equal(first) || h.Snapshot() == nil {
		t.Errorf("%+v, first looked at %v", st, first)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Second):
		t.Error("it does not end")
	}
	close(stuck)
}
