package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// refusing is an online store that refuses the rows of some shoppers.
type refusing struct {
	stores.Writer
	kind     fault.Kind
	shoppers []int64
	calls    atomic.Int64
	// before is called before each write.
	before func(ctx context.Context, call int64) error
}

func (r *refusing) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	call := r.calls.Add(1)
	if r.before != nil {
		if err := r.before(ctx, call); err != nil {
			return stores.Written{}, err
		}
	}
	var good []stores.Record
	var at []int
	var out stores.Written
	for i, rec := range records {
		if items, _ := value.Int64(rec.Values[0]); slices.Contains(r.shoppers, items) {
			out.Failed.Add(i, fault.New(r.kind, "too large by %d bytes", items))
			continue
		}
		good, at = append(good, rec), append(at, i)
	}
	done, err := r.Writer.Write(ctx, table, features, good, mode)
	for _, i := range done.Older {
		out.Older = append(out.Older, at[i])
	}
	return out, err
}

// run materializes everything up to now.
func (s *shop) run(ctx context.Context) ([]ingest.Result, error) {
	return ingest.New(s.opt).Materialize(ctx, ingest.Request{Start: noon.AddDate(-1, 0, 0), End: noon})
}

// A row that the store cannot hold is named by its join keys and event time,
// with the reason; all other rows are stored, the window is not recorded, and
// the remaining views are named.
func TestRowsThatTheStoreCannotHold(t *testing.T) {
	for name, c := range map[string]struct {
		bad  []int64
		want string
	}{
		"one": {[]int64{7}, "feature view carts: the store cannot hold 1 row: shopper=7 at 2024-06-01T11:57:00Z: too large by 7 bytes; " +
			"of 10 rows of feature view carts 9 are known to be stored, and its window is not recorded; complete: visits; not begun: clicks, taps"},
		"many": {[]int64{1, 2, 3, 4, 5, 6, 7}, "the store cannot hold 7 rows: shopper=1 at 2024-06-01T11:51:00Z: too large by 1 bytes; shopper=2 at 2024-06-01T11:52:00Z: too large by 2 bytes; " +
			"shopper=3 at 2024-06-01T11:53:00Z: too large by 3 bytes; shopper=4 at 2024-06-01T11:54:00Z: too large by 4 bytes; shopper=5 at 2024-06-01T11:55:00Z: too large by 5 bytes; and 2 more; of 10 rows"},
		"all": {[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "the store cannot hold 10 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, false, "visits", "carts", "clicks", "taps")
			s.source.add(some(10, noon)...)
			store := &refusing{Writer: s.online, kind: fault.Invalid}
			s.opt.Online, s.opt.BatchSize = store, 3
			s.opt.Observer.Finished = func(ingest.Result) { store.shoppers = c.bad }
			results, err := s.run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.Invalid {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if len(results) != 1 || len(s.intervals(t, "visits")) != 1 || len(s.intervals(t, "carts")) != 0 || store.calls.Load() != 8 {
				t.Errorf("%+v after %d writes; recorded: %v", results, store.calls.Load(), s.intervals(t, "carts"))
			}
			if got := s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10); len(got) != 10-len(c.bad) {
				t.Errorf("stored: %v", got)
			}
		})
	}
}

// Rows that were not written because a newer one is stored are counted
// separately.
func TestOlderRowsAreCountedApart(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(some(10, noon.Add(-time.Hour))...)
	if _, err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.source.add(some(6, noon.AddDate(0, 0, -3))...)
	s.source.add(row{shopper: 11, items: 11, at: noon.AddDate(0, 0, -3)})
	s.opt.BatchSize = 2
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -4), End: noon.AddDate(0, 0, -2)})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Read != 7 || r.Keys != 7 || r.Written != 1 || r.Older != 6 || r.Hint != "" {
		t.Errorf("%+v", r)
	}
	s.opt.Online = &refusing{Writer: s.online, kind: fault.Invalid, shoppers: []int64{11}}
	_, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -4), End: noon.AddDate(0, 0, -2)})
	if err == nil || !strings.Contains(err.Error(), "of 7 rows of feature view carts none is known to be stored and 6 were older than what is stored, and its window") {
		t.Errorf("%v", err)
	}
}

// When the store fails, running writes are ended, no other one begins, and no
// goroutine is left.
func TestAFailingWriteEndsAllOthers(t *testing.T) {
	for name, c := range map[string]struct {
		before func(ctx context.Context, call int64) error
		kind   fault.Kind
		failed []int64 // the shoppers whose rows fail
		want   string
	}{
		"the store is down": {func(ctx context.Context, call int64) error {
			if call == 5 {
				return fault.New(fault.Unavailable, "the store is down")
			}
			if call > 1 { // all but the first hang
				<-ctx.Done()
				return fault.Of(ctx.Err())
			}
			return nil
		}, fault.Unavailable, nil, "the store is down; of 1000 rows of feature view carts 10 are known to be stored"},
		"some rows are not written": {func(context.Context, int64) error {
			<-time.After(time.Millisecond)
			return nil
		}, fault.Overloaded, []int64{256}, "too large by 256 bytes; of 1000 rows of feature view carts "},
	} {
		t.Run(name, func(t *testing.T) {
			ignore := goleak.IgnoreCurrent()
			s := newShop(t, false, "carts", "clicks")
			s.source.add(some(1000, noon)...)
			store := &refusing{Writer: s.online, kind: c.kind, shoppers: c.failed, before: c.before}
			s.opt.Online, s.opt.BatchSize = store, 10
			began := time.Now()
			_, err := s.run(t.Context())
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("after %s", took)
			}
			if err == nil || fault.KindOf(err) != c.kind || !strings.HasPrefix(err.Error(), c.want) || !strings.HasSuffix(err.Error(), "and its window is not recorded; not begun: clicks") {
				t.Errorf("%v", err)
			}
			if n := store.calls.Load(); c.failed == nil && n > 30 { // those of the other case depend on when the failure arrives
				t.Errorf("%d writes were begun", n)
			}
			if len(s.intervals(t, "carts")) != 0 {
				t.Error("the window is recorded")
			}
			goleak.VerifyNone(t, ignore)
		})
	}
}

// Of a write that the store carries out in part, the rows that it has acknowledged
// are counted.
func TestRowsOfAWriteThatFailsInPartAreCounted(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(some(10, noon)...)
	s.opt.Online = &refusing{Writer: s.online, kind: fault.Denied, shoppers: []int64{4}}
	_, err := s.run(t.Context())
	if want := "too large by 4 bytes; of 10 rows of feature view carts 9 are known to be stored, and its window is not recorded"; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if got := s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10); len(got) != 9 {
		t.Error(got)
	}
}

// A run ends at once when its caller cancels it, wherever it is, and says what
// is stored.
func TestACanceledRun(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(s *shop, cancel func())
		want string
	}{
		"reading": {func(s *shop, cancel func()) {
			s.source.ranged = func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return fault.New(fault.Unavailable, "the connection was closed")
			}
		}, "stopped; nothing of feature view carts is written, and its window is not recorded; not begun: clicks"},
		"writing": {func(s *shop, cancel func()) {
			s.opt.Online = &refusing{Writer: s.online, before: func(ctx context.Context, call int64) error {
				if call < 3 {
					return nil
				}
				cancel()
				<-ctx.Done()
				return fault.Of(ctx.Err())
			}}
		}, "stopped; of 100 rows of feature view carts "},
		"between two writes": {func(s *shop, cancel func()) {
			s.opt.Observer.Written = func(_ ingest.Window, rows, _ int) {
				if rows == 20 {
					cancel()
				}
			}
			s.opt.Online = &refusing{Writer: noContext{s.online}}
		}, "stopped; of 100 rows of feature view carts "},
		"recording": {func(s *shop, cancel func()) {
			s.opt.Storage = storage{s.opt.Storage, func() error {
				cancel()
				return nil
			}}
		}, "stopped; all 100 rows of feature view carts are stored, and its window is not recorded; not begun: clicks"},
		"the next view": {
			func(s *shop, cancel func()) { s.opt.Observer.Finished = func(ingest.Result) { cancel() } },
			"stopped; nothing of feature view clicks is written, and its window is not recorded; complete: carts",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ignore := goleak.IgnoreCurrent()
			s := newShop(t, false, "carts", "clicks")
			s.source.add(some(100, noon)...)
			s.opt.BatchSize = 10
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.at(s, cancel)
			began := time.Now()
			_, err := s.run(ctx)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("after %s", took)
			}
			if err == nil || fault.KindOf(err) != fault.Canceled || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if n := len(s.intervals(t, "carts")); (n != 0) != strings.Contains(c.want, "complete: carts") {
				t.Errorf("%d windows are recorded", n)
			}
			goleak.VerifyNone(t, ignore)
		})
	}
}

// noContext is a store that ignores contexts.
type noContext struct{ stores.Writer }

func (n noContext) Write(_ context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	return n.Writer.Write(context.Background(), table, features, records, mode)
}

// storage calls a function before each save.
type storage struct {
	registry.Storage
	before func() error
}

func (s storage) Save(ctx context.Context, next *core.Registry, base registry.Revision) (registry.Revision, error) {
	if err := s.before(); err != nil {
		return "", err
	}
	return s.Storage.Save(ctx, next, base)
}

// Whatever fails, the run reports the cause, what is stored and what is not.
func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(s *shop)
		want string
	}{
		"before the first row": {func(s *shop) {
			s.source.ranged = func(context.Context) error { return fault.New(fault.Denied, "no right to read carts") }
		}, "no right to read carts; nothing of feature view carts is written, and its window is not recorded; not begun: clicks"},
		"the registry": {func(s *shop) {
			s.opt.Storage = storage{s.opt.Storage, func() error { return fault.New(fault.Denied, "the registry is read-only") }}
		}, "the registry is read-only; all 4 rows of feature view carts are stored, and its window is not recorded; not begun: clicks"},
		"an unknown error": {func(s *shop) {
			s.source.ranged = func(context.Context) error { return fmt.Errorf("what is this") }
		}, "what is this; nothing of feature view carts"},
		"a row beyond all time": {func(s *shop) {
			s.opt.Observer.Started = func(ingest.Window) {
				s.source.add(row{shopper: 77, items: 1, at: noon, made: time.UnixMicro(1<<63 - 2)})
			}
		}, "the store cannot hold 1 row: shopper=77 at 2024-06-01T12:00:00Z: its created time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, true, "carts", "clicks")
			s.source.add(some(4, noon.Add(-time.Minute))...)
			c.at(s)
			if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if i := s.intervals(t, "carts"); len(i) != 0 {
				t.Errorf("recorded: %v", i)
			}
		})
	}
}

// Of rows with equal event times the one created last wins, and a row without a
// created time is the oldest.
func TestTheNewestRowOfAKey(t *testing.T) {
	for name, c := range map[string]struct {
		rows []row
		want int64
	}{
		"event time":       {[]row{{1, 10, noon, noon}, {1, 11, noon.Add(-1), noon.Add(time.Hour)}}, 10},
		"created time":     {[]row{{1, 10, noon, noon}, {1, 11, noon, noon.Add(time.Microsecond)}, {1, 12, noon, noon}}, 11},
		"null is oldest":   {[]row{{1, 10, noon, time.Time{}}, {1, 11, noon, time.Unix(-1e10, 0)}, {1, 12, noon, time.Time{}}}, 11},
		"first of equals":  {[]row{{1, 10, noon, noon}, {1, 11, noon, noon}}, 10},
		"first of no time": {[]row{{1, 10, noon, time.Time{}}, {1, 11, noon, time.Time{}}}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, true, "carts")
			s.source.add(c.rows...)
			if _, err := s.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.stored(t, 1); got[1] != c.want {
				t.Errorf("%v, want %d", got, c.want)
			}
		})
	}
}

// Rows without a join key are left out, and one warning counts them.
func TestNullKeysAreCountedOnce(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(some(3, noon)...)
	for range 40 {
		s.source.add(row{at: noon})
	}
	var log strings.Builder
	s.opt.Log = slog.New(slog.NewTextHandler(&log, nil))
	results, err := s.run(t.Context())
	if err != nil || results[0].NullKeys != 40 || results[0].Written != 3 || results[0].Read != 43 {
		t.Errorf("%+v, %v", results, err)
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "rows=40") {
		t.Error(log.String())
	}
}

// Runs at the same time all record their windows.
func TestRunsAtTheSameTime(t *testing.T) {
	var views []string
	for i := range 20 {
		views = append(views, fmt.Sprintf("v%d", i))
	}
	s := newShop(t, false, views...)
	s.source.add(some(3, noon)...)
	var wg sync.WaitGroup
	for _, v := range views {
		wg.Go(func() {
			_, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{v}, Start: noon.AddDate(-1, 0, 0), End: noon})
			if err != nil {
				t.Errorf("%s: %v", v, err)
			}
		})
	}
	wg.Wait()
	for _, v := range views {
		if n := len(s.intervals(t, v)); n != 1 {
			t.Errorf("%s has %d windows", v, n)
		}
	}
}

// Two runs of a view at the same time may replace each other's rows. The run
// that is recorded last reports it, and its command repairs the rows.
func TestRunsOfOneViewAtTheSameTime(t *testing.T) {
	s := newShop(t, false, "carts", "clicks")
	s.source.add(row{shopper: 1, items: 10, at: noon.Add(-time.Hour)})
	store := &refusing{Writer: s.online}
	s.opt.Online = store
	store.before = func(ctx context.Context, _ int64) error {
		store.before = nil
		s.source.add(row{shopper: 1, items: 11, at: noon.Add(time.Minute)})
		s.clock.set(noon.Add(time.Hour))
		results, err := ingest.New(s.opt).MaterializeIncremental(ctx, ingest.Request{Views: []string{"carts", "clicks"}, End: noon.Add(time.Hour)})
		if err == nil && (results[0].Written != 1 || results[0].Overlap != "") {
			t.Errorf("%+v", results)
		}
		return err
	}
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"carts"}, Start: noon.Add(-2 * time.Hour), End: noon})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; !strings.HasSuffix(r.Overlap, "banquet materialize 2024-05-02T13:00:00 2024-06-01T13:00:00 --views carts") {
		t.Errorf("%+v", r)
	}
	if got := s.stored(t, 1); got[1] != 10 {
		t.Errorf("the test did not produce the overlap: %v", got)
	}
	results, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"carts"}, Start: noon.AddDate(0, 0, -30), End: noon.Add(time.Hour)})
	if err != nil || results[0].Overlap != "" {
		t.Errorf("%+v, %v", results, err)
	}
	if got := s.stored(t, 1); got[1] != 11 {
		t.Errorf("stored: %v", got)
	}
}

// A view that is named twice is loaded once, and is no other run of itself.
func TestAViewThatIsNamedTwice(t *testing.T) {
	s := newShop(t, false, "carts", "clicks")
	s.source.add(some(3, noon)...)
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"carts", "clicks", "carts"}, Start: noon.AddDate(0, 0, -1), End: noon})
	if err != nil || len(results) != 2 {
		t.Fatalf("%+v, %v", results, err)
	}
	for _, r := range results {
		if r.Written != 3 || r.Overlap != "" || len(s.intervals(t, r.View)) != 1 {
			t.Errorf("%+v", r)
		}
	}
}
