package ingest_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if got, err := other.Views(t.Context(), ingest.Request{}); err != nil || len(got) != 3 {
		t.Errorf("all views: %v %v", got, err)
	}
	if got, err := other.Views(t.Context(), ingest.Request{Views: []string{"bags", "bags"}}); err != nil || !slices.Equal(got, []string{"bags"}) {
		t.Errorf("a view named twice: %v %v", got, err)
	}
	if _, err := other.Views(t.Context(), ingest.Request{Views: []string{"bags", "nope"}}); err == nil {
		t.Error("an unknown view is accepted")
	}
}

// A run of an older window replaces no newer row that another run has stored since
// this one was planned, whether that run is recorded, has failed or goes on.
func TestARunOfALaterWindowInBetween(t *testing.T) {
	for name, fail := range map[string]bool{"recorded": false, "failed": true} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := kept(t, "carts")
			s.source.add(some(100, noon.Add(-time.Minute))...)
			for id := range 100 {
				s.source.add(row{shopper: id + 1, items: 5000, at: noon.AddDate(0, 0, -9), made: noon.AddDate(0, 0, -9)})
			}
			s.source.ranged = func(ctx context.Context) error {
				s.source.ranged = nil
				if fail {
					s.from(46)
				}
				_, err := ingest.New(s.opt).Materialize(ctx, ingest.Request{Start: noon.AddDate(0, 0, -2), End: noon})
				if fail != (err != nil) {
					t.Errorf("the run in between: %v", err)
				}
				return nil
			}
			results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -10), End: noon.AddDate(0, 0, -8)})
			if err != nil || results[0].Older == 0 {
				t.Errorf("%+v, %v", results, err)
			}
			if got := s.stored(t, 1, 2, 3); !cmp.Equal(got, map[int]int64{1: 1, 2: 2, 3: 3}) {
				t.Error(got)
			}
		})
	}
}
