package ingest_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry/file"
)

// TestRunning names the views of live runs, whoever runs them, and no others.
func TestRunning(t *testing.T) {
	s := newShop(t, false, "carts", "baskets", "bags")
	s.opt.Runs = file.New(filepath.Join(t.TempDir(), "registry.db")).Records()
	s.source.add(some(3, noon)...)
	other := ingest.New(s.opt)
	all := []string{"bags", "baskets", "carts", "nope"}
	during := 0
	s.source.ranged = func(ctx context.Context) error {
		during++
		if got := other.Running(ctx, all); !slices.Equal(got, []string{"carts"}) {
			t.Errorf("during the run: %v", got)
		}
		return nil
	}
	if _, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"carts"}, Start: noon.Add(-1000000000000), End: noon}); err != nil {
		t.Fatal(err)
	}
	if got := other.Running(t.Context(), all); got != nil || during == 0 {
		t.Errorf("after the run: %v", got)
	}
	s.opt.Runs = nil
	if got := ingest.New(s.opt).Running(t.Context(), all); got != nil {
		t.Errorf("without records: %v", got)
	}
	if got, err := other.Views(t.Context(), nil); err != nil || len(got) != 3 {
		t.Errorf("all views: %v %v", got, err)
	}
	if got, err := other.Views(t.Context(), []string{"bags", "bags"}); err != nil || !slices.Equal(got, []string{"bags"}) {
		t.Errorf("a view named twice: %v %v", got, err)
	}
	if _, err := other.Views(t.Context(), []string{"bags", "nope"}); err == nil {
		t.Error("an unknown view is accepted")
	}
}
