package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

// shard runs one part of the window of a day.
func (s *shop) shard(t *testing.T, index, count int, more ...func(*ingest.Request)) ([]ingest.Result, error) {
	t.Helper()
	req := ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon, Shard: ingest.Shard{Index: index, Count: count}}
	for _, change := range more {
		change(&req)
	}
	return ingest.New(s.opt).Materialize(t.Context(), req)
}

// Shards divide the keys; the last to finish records the window once, with the
// time at which the first began to read.
func TestShards(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	keys, order := 0, []int{2, 0, 3, 1}
	for i, index := range order {
		s.clock.set(noon.Add(time.Duration(i) * time.Minute))
		results, err := s.shard(t, index, 4)
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		if keys += r.Keys; r.Keys < 10 || r.Read != 100 || r.Written != r.Keys {
			t.Errorf("%+v", r)
		}
		want := []string{
			"carts: shard 3/4 is stored; the window is recorded when these are too: 1/4, 2/4, 4/4; the first of them: banquet materialize 2024-05-31T12:00:00 2024-06-01T12:00:00 --views carts --shard 1/4",
			"carts: shard 1/4 is stored; the window is recorded when these are too: 2/4, 4/4; the first of them: banquet materialize 2024-05-31T12:00:00 2024-06-01T12:00:00 --views carts --shard 2/4",
			"carts: shard 4/4 is stored; the window is recorded when this one is too: 2/4; the first of them: banquet materialize 2024-05-31T12:00:00 2024-06-01T12:00:00 --views carts --shard 2/4", "",
		}[i]
		if r.Waiting != want || (len(s.intervals(t, "carts")) == 1) != (i == 3) {
			t.Errorf("%s\nrecorded: %v", r.Waiting, s.intervals(t, "carts"))
		}
	}
	if got := s.stored(t, 1, 50, 100); len(got) != 3 || keys != 100 || len(names(t, records)) != 0 {
		t.Error(got, keys, names(t, records))
	}
	reg, _, err := s.opt.Storage.Load(t.Context())
	if err != nil || !reg.GetFeatureViews()[0].GetMeta().GetLastUpdatedTimestamp().AsTime().Equal(noon) {
		t.Error(reg, err)
	}
}

// Shards that run at the same time record one interval, whichever are last.
func TestShardsAtTheSameTime(t *testing.T) {
	for round := range 10 {
		s, records, _ := kept(t, "carts")
		s.opt.Log = nil
		s.source.add(some(100, noon.Add(-time.Minute))...)
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				if _, err := s.shard(t, i, 5); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if list := s.intervals(t, "carts"); len(list) != 1 || len(names(t, records)) != 0 {
			t.Fatalf("round %d: %v, %v", round, list, names(t, records))
		}
	}
}

// A shard that failed is continued; one that is stored is not written again.
func TestAShardThatFailedIsContinued(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	if _, err := s.shard(t, 0, 2); err != nil {
		t.Fatal(err)
	}
	store := s.from(0)
	if results, err := s.shard(t, 0, 2); err != nil || store.rows.Load() != 0 || results[0].Resumed != results[0].Keys || results[0].Waiting == "" {
		t.Errorf("%+v, %v, %d rows written again", results, err, store.rows.Load())
	}
	s.opt.Online = &refusing{Writer: s.online, kind: fault.Invalid, shoppers: []int64{50, 51, 52, 53, 54, 55, 56, 57}}
	if _, err := s.shard(t, 1, 2); err == nil || len(s.intervals(t, "carts")) != 0 {
		t.Fatal(err)
	}
	store = s.from(0)
	results, err := s.shard(t, 1, 2)
	if err != nil || results[0].Resumed == 0 || results[0].Waiting != "" || len(s.intervals(t, "carts")) != 1 || len(names(t, records)) != 0 {
		t.Errorf("%+v, %v, %v", results, err, s.intervals(t, "carts"))
	}
	if int(store.rows.Load()) != results[0].Keys-results[0].Resumed || len(s.stored(t, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58)) != 10 {
		t.Errorf("%+v, %d rows", results, store.rows.Load())
	}
	// The next day's shards are not confused with them.
	if results, err := s.shard(t, 0, 2); err != nil || results[0].Resumed != 0 || results[0].Waiting == "" {
		t.Errorf("%+v, %v", results, err)
	}
}

// The last shard whose window cannot be recorded says that nothing has to be stored
// again, and the next run of that shard records it.
func TestAWindowOfShardsThatCannotBeRecorded(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	if _, err := s.shard(t, 0, 2); err != nil {
		t.Fatal(err)
	}
	plain := s.opt.Storage
	s.opt.Storage = storage{plain, func() error { return fault.New(fault.Denied, "the registry is read-only") }}
	_, err := s.shard(t, 1, 2)
	if err == nil || !strings.HasPrefix(err.Error(), "the registry is read-only; all ") || !strings.HasSuffix(err.Error(), "and its window is not recorded; the same command goes on after what is stored") {
		t.Error(err)
	}
	s.opt.Storage = plain
	store := s.from(0)
	results, err := s.shard(t, 1, 2)
	if err != nil || store.rows.Load() != 0 || results[0].Waiting != "" || len(s.intervals(t, "carts")) != 1 || len(names(t, records)) != 0 {
		t.Errorf("%+v, %v, %d rows written again", results, err, store.rows.Load())
	}
}

// Shards that do not agree are refused by name, until what was begun is dropped.
func TestShardsThatDisagree(t *testing.T) {
	later := func(r *ingest.Request) { r.End = noon.Add(time.Second) }
	for name, c := range map[string]struct {
		count  int
		change func(*ingest.Request)
		edit   func(*core.FeatureView)
	}{
		"count":      {3, func(*ingest.Request) {}, nil},
		"window":     {2, later, nil},
		"definition": {2, func(*ingest.Request) {}, func(v *core.FeatureView) { v.Spec.Description = "other" }},
	} {
		t.Run(name, func(t *testing.T) {
			s, records, _ := kept(t, "carts")
			s.source.add(some(100, noon.Add(-time.Minute))...)
			if _, err := s.shard(t, 0, 2); err != nil {
				t.Fatal(err)
			}
			if c.edit != nil {
				edit(t, s, c.edit)
				if results, err := s.shard(t, 1, c.count); err != nil || results[0].Waiting == "" {
					t.Errorf("%+v, %v", results, err)
				}
				return
			}
			_, err := s.shard(t, 1, c.count, c.change)
			if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "shard 1/2 of feature view carts was begun with the window from 2024-05-31 12:00:00+00:00 to 2024-06-01 12:00:00+00:00, which does not fit shard 2/") {
				t.Fatal(err)
			}
			for i := range c.count {
				if _, err := s.shard(t, i, c.count, c.change, func(r *ingest.Request) { r.Restart = true }); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.intervals(t, "carts")) != 1 || len(names(t, records)) != 0 {
				t.Error(s.intervals(t, "carts"), names(t, records))
			}
		})
	}
}

func TestShardsThatCannotBe(t *testing.T) {
	s, _, _ := kept(t, "carts")
	for name, c := range map[string]struct{ index, count int }{"shard 3/2;": {2, 2}, "shard 0/2;": {-1, 2}, "shard 2/0;": {1, 0}, "shard 1/-1;": {0, -1}} {
		if _, err := s.shard(t, c.index, c.count); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{End: noon, Shard: ingest.Shard{Index: 0, Count: 2}})
	if err == nil || !strings.Contains(err.Error(), "an incremental run cannot be divided into shards") {
		t.Error(err)
	}
	s.opt.Runs = nil
	if _, err := s.shard(t, 0, 2); err == nil || !strings.Contains(err.Error(), "needs a registry beside which records of runs can be kept") {
		t.Error(err)
	}
}

// A dry run tells what a run would write, and leaves nothing.
func TestADryRun(t *testing.T) {
	s, records, _ := kept(t, "carts", "empty")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	s.source.add(some(50, noon.Add(-time.Hour))...)
	s.source.add(row{at: noon.Add(-time.Minute)})
	store := s.from(0)
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon, DryRun: true})
	if err != nil || store.rows.Load() != 0 || len(s.intervals(t, "carts")) != 0 || len(names(t, records)) != 0 {
		t.Fatal(err, store.rows.Load(), names(t, records))
	}
	r := results[0]
	if r.Read != 151 || r.Keys != 100 || r.Written != 0 || r.NullKeys != 1 || r.Hint != "" {
		t.Errorf("%+v", r)
	}
	results, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(-3, 0, -1), End: noon.AddDate(-3, 0, 0), DryRun: true})
	if err != nil || !strings.Contains(results[0].Hint, "nearest event") || results[0].Estimate.Rows != 0 {
		t.Errorf("%+v, %v", results, err)
	}
	if want := (ingest.Estimate{Rows: 100, Bytes: 100 * int64(s.keyLen(t)+len(value.AppendInt64(nil, 1)))}); !cmp.Equal(*r.Estimate, want) {
		t.Errorf("%+v, want %+v", *r.Estimate, want)
	}
}

// keyLen is the length of an entity key of the shop.
func (s *shop) keyLen(t *testing.T) int {
	t.Helper()
	w := &writes{Writer: s.online}
	other := *s
	other.opt.Online, other.opt.Runs = w, nil
	if _, err := other.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return len(w.keys[0][0])
}

// Views that are materialized at the same time are each done once, and the
// observer is called by one goroutine at a time.
func TestViewsInParallel(t *testing.T) {
	var views []string
	for i := range 12 {
		views = append(views, fmt.Sprintf("v%02d", i))
	}
	s, records, _ := kept(t, views...)
	s.source.add(some(100, noon)...)
	s.opt.Parallel, s.opt.BatchSize = 4, 10
	calls, state := 0, map[string]string{}
	step := func(w ingest.Window, from, to string) {
		calls++ // the race detector sees calls at the same time
		if got := state[w.View]; got != from && got != to {
			t.Errorf("%s: %s after %s", w.View, to, got)
		}
		state[w.View] = to
	}
	s.opt.Observer = ingest.Observer{
		Started:  func(w ingest.Window) { step(w, "", "started") },
		Reading:  func(w ingest.Window, _ int64) { step(w, "started", "reading") },
		Written:  func(w ingest.Window, _, _ int) { step(w, "reading", "written") },
		Finished: func(r ingest.Result) { step(r.Window, "written", "finished") },
	}
	results, err := s.run(t.Context())
	if err != nil || len(results) != 12 || len(names(t, records)) != 0 {
		t.Fatal(results, err)
	}
	for i, r := range results {
		if r.View != views[i] || r.Written != 100 || state[r.View] != "finished" || len(s.intervals(t, r.View)) != 1 {
			t.Errorf("%+v %s", r, state[r.View])
		}
	}
}

// Of views that run at the same time, those that are under way are finished when
// one fails.
func TestAViewThatFailsBesideOthers(t *testing.T) {
	s, _, _ := kept(t, "a", "b", "c", "d", "e")
	s.source.add(some(10, noon)...)
	s.opt.Parallel = 2
	edit(t, s, func(v *core.FeatureView) { v.Spec.Entities = []string{"nobody"} }) // a has no such column
	var both sync.WaitGroup
	both.Add(2)
	var begun atomic.Int32
	s.source.ranged = func(context.Context) error {
		if begun.Add(1) <= 2 { // a and b begin together; another may begin before it is known that a failed
			both.Done()
			both.Wait()
		}
		return nil
	}
	_, err := s.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nothing of feature view a is written, and its window is not recorded") || !strings.Contains(err.Error(), "; complete: b") || !strings.Contains(err.Error(), "; not begun: ") {
		t.Errorf("%v", err)
	}
}
