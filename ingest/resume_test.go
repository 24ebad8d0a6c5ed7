package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	onlinememory "github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/value"
)

// kept makes a shop whose runs leave records.
func kept(t *testing.T, views ...string) (*shop, *file.Records, *strings.Builder) {
	t.Helper()
	s := newShop(t, true, views...)
	storage, _ := s.opt.Storage.(*file.Storage)
	records := storage.Records()
	log := new(strings.Builder)
	s.opt.Runs, s.opt.Log, s.opt.BatchSize = records, slog.New(slog.NewTextHandler(log, nil)), 5
	return s, records, log
}

// names are the records that exist.
func names(t *testing.T, r registry.Records) []string {
	t.Helper()
	list, err := r.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// breaking is a store that fails from some row on, in the order of keys, once
// those before it are stored. It counts the rows written.
type breaking struct {
	stores.Store
	rows atomic.Int64
	from int64 // the first shopper whose row fails; 0: none
	all  chan struct{}
}

func (b *breaking) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if items, _ := value.Int64(records[0].Values[0]); b.from > 0 && items >= b.from {
		if b.from > 1 {
			<-b.all
		}
		return stores.Written{}, fault.Store(fault.Unavailable, "the store is down")
	}
	done, err := b.Store.Write(ctx, table, features, records, mode)
	if b.rows.Add(int64(len(records))) == b.from-1 {
		close(b.all)
	}
	return done, err
}

func (s *shop) from(n int64) *breaking {
	b := &breaking{Store: s.online, from: n, all: make(chan struct{})}
	s.opt.Online = b
	return b
}

// A run that fails at any row is continued by the next run of the same window:
// the final state is that of a run that was not disturbed, rows that were stored
// are not written again, and nothing is left behind.
func TestARunThatFailedAtAnyWriteIsContinued(t *testing.T) {
	const rows = 100
	for at := int64(1); at <= rows; at += 5 {
		for _, incremental := range []bool{false, true} {
			t.Run(fmt.Sprint(at, incremental), func(t *testing.T) {
				s, records, _ := kept(t, "carts")
				s.source.add(some(rows, noon.Add(-time.Minute))...)
				run := func() ([]ingest.Result, error) {
					if incremental {
						return ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{End: noon})
					}
					return s.run(t.Context())
				}
				store := s.from(at)
				if _, err := run(); err == nil || at > 1 != strings.HasSuffix(err.Error(), "; the same command goes on after what is stored") || len(names(t, records)) != 1 {
					t.Error(err, names(t, records))
				}
				before := store.rows.Load()
				s.clock.set(noon.Add(time.Hour)) // rows that arrive meanwhile belong to the next run
				s.source.add(row{shopper: 1, items: 1000, at: noon.Add(time.Minute), made: noon.Add(time.Minute)})
				store = s.from(0)
				resumed := -1
				s.opt.Observer.Resumed = func(_ ingest.Window, rows int) { resumed = rows }
				results, err := run()
				if err != nil || len(results) != 1 {
					t.Fatal(results, err)
				}
				r := results[0]
				if r.Keys != rows || r.Written != rows || r.Read != rows || r.Resumed != resumed || int64(resumed) != at-1 || before != at-1 || store.rows.Load() != rows-before {
					t.Errorf("%+v, resumed: %d, %d rows before, %d after", r, resumed, before, store.rows.Load())
				}
				if got := s.stored(t, 1, 50, 100); !cmp.Equal(got, map[int]int64{1: 1, 50: 50, 100: 100}) {
					t.Error(got)
				}
				if list := s.intervals(t, "carts"); len(list) != 1 || !list[0][1].Equal(noon) {
					t.Errorf("recorded: %v", list)
				}
				if list := names(t, records); len(list) != 0 {
					t.Errorf("left: %v", list)
				}
			})
		}
	}
}

// unfinishedRun leaves the record of a run of carts that has stored some rows of
// 100.
func unfinishedRun(t *testing.T, s *shop, from, to time.Time) {
	t.Helper()
	s.from(46)
	_, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: from, End: to})
	if err == nil {
		t.Fatal("the run does not fail")
	}
	s.from(0)
}

// A run that goes on after an unfinished one and fails before it has read all rows
// does not claim that nothing is stored.
func TestARunThatFailsBeforeItGoesOn(t *testing.T) {
	s, _, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	unfinishedRun(t, s, noon.AddDate(0, 0, -1), noon)
	s.source.ranged = func(context.Context) error { return fault.New(fault.Unavailable, "the source is down") }
	_, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon})
	if want := "the source is down; 45 rows of feature view carts are known to be stored, and its window is not recorded; the same command goes on after what is stored"; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// An incremental run first finishes the window of one that failed, with the time
// at which that one read its rows, and then takes the rows since.
func TestAnIncrementalRunFinishesTheLastOneFirst(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	s.from(46)
	if _, err := ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{End: noon.Add(time.Minute)}); err == nil {
		t.Fatal("no error")
	}
	store := s.from(0)
	s.clock.set(noon.Add(2 * time.Hour))
	s.source.add(
		row{shopper: 1, items: 1001, at: noon.Add(time.Second), made: noon.Add(time.Second)}, // after the first read, within its window
		row{shopper: 2, items: 1002, at: noon.Add(time.Hour), made: noon.Add(time.Hour)},
		row{shopper: 100, items: 1003, at: noon.Add(-time.Hour), made: noon.Add(time.Hour)})
	var planned []ingest.Window
	s.opt.Observer.Planned = func(w []ingest.Window) { planned = w }
	results, err := ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{End: noon.Add(2 * time.Hour)})
	if err != nil || len(results) != 2 || len(planned) != 2 {
		t.Fatalf("%+v %v %v", results, planned, err)
	}
	if r := results[0]; r.Resumed == 0 || r.Keys != 100 || !r.End.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v", r)
	}
	if r := results[1]; r.Resumed != 0 || r.Written != 2 || !r.Start.Equal(noon) || !strings.Contains(r.Late, "1 row arrived after the last run, of 2024-06-01 12:00:00+00:00") {
		t.Errorf("%+v", r)
	}
	if list := s.intervals(t, "carts"); len(list) != 2 || !list[0][1].Equal(noon) || !list[1][0].Equal(noon) || !list[1][1].Equal(noon.Add(2*time.Hour)) {
		t.Errorf("recorded: %v", list)
	}
	if got := s.stored(t, 1, 2, 3); !cmp.Equal(got, map[int]int64{1: 1001, 2: 1002, 3: 3}) {
		t.Error(got)
	}
	if store.rows.Load() > 100 || len(names(t, records)) > 0 {
		t.Error(store.rows.Load(), names(t, records))
	}
}

// What an unfinished run has stored is not trusted if anything that matters has
// changed.
func TestAnUnfinishedRunThatIsNotContinued(t *testing.T) {
	day := noon.AddDate(0, 0, -1)
	for name, c := range map[string]struct {
		change func(s *shop)
		req    ingest.Request
		note   string
	}{
		"definition": {func(s *shop) {
			edit(t, s, func(v *core.FeatureView) { v.Spec.Features[0].Name = "renamed" })
		}, ingest.Request{}, "the definition of the view has changed since"},
		"made anew": {func(s *shop) {
			edit(t, s, func(v *core.FeatureView) {
				v.Meta = &core.FeatureViewMeta{CreatedTimestamp: timestamppb.New(noon.Add(time.Second))}
			})
		}, ingest.Request{}, "the definition of the view has changed since"},
		"age":     {func(s *shop) { s.clock.set(noon.Add(25 * time.Hour)) }, ingest.Request{}, "it is older than a day"},
		"restart": {func(*shop) {}, ingest.Request{Restart: true}, "the run is to start from the beginning"},
		"another store": {func(s *shop) {
			s.online = new(onlinememory.Store)
		}, ingest.Request{}, "the store has not the rows anymore that it has stored"},
		"an older store": {func(s *shop) {
			s.online = new(onlinememory.Store)
			s.from(0)
			backfill := *s
			backfill.source, backfill.opt.Runs, backfill.opt.Storage = new(source), nil, file.New(t.TempDir()+"/registry.db")
			reg, _, err := s.opt.Storage.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := backfill.opt.Storage.Save(t.Context(), reg, ""); err != nil {
				t.Fatal(err)
			}
			backfill.source.add(some(100, noon.AddDate(0, 0, -3))...)
			backfill.opt.Offline = backfill.source
			if _, err := backfill.run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, ingest.Request{}, "the store has not the rows anymore that it has stored"},
	} {
		t.Run(name, func(t *testing.T) {
			s, records, log := kept(t, "carts")
			s.source.add(some(100, noon.Add(-time.Minute))...)
			unfinishedRun(t, s, day, noon)
			c.change(s)
			store := s.from(0)
			c.req.Start, c.req.End = day, noon
			results, err := ingest.New(s.opt).Materialize(t.Context(), c.req)
			if err != nil || results[0].Resumed != 0 || store.rows.Load() != 100 || results[0].Written != 100 {
				t.Errorf("%+v, %v, %d rows written", results, err, store.rows.Load())
			}
			if !strings.Contains(log.String(), "is not continued: "+c.note) {
				t.Error(log)
			}
			if list := names(t, records); len(list) != 0 {
				t.Errorf("left: %v", list)
			}
		})
	}
}

// unread is a store of which each read fails.
type unread struct {
	stores.Store
	kind fault.Kind
}

func (u *unread) Read(context.Context, []stores.Read) (*stores.Rows, error) {
	return nil, fault.Store(u.kind, "the store does not read")
}

// While a store does not answer, it is not known whether it still has the rows of an
// unfinished run: the run is neither continued nor given up.
func TestAStoreThatDoesNotAnswerAboutAnUnfinishedRun(t *testing.T) {
	day := noon.AddDate(0, 0, -1)
	for _, kind := range []fault.Kind{fault.Unavailable, fault.TimedOut, fault.Overloaded} {
		for _, shard := range []ingest.Shard{{}, {Index: 0, Count: 2}} {
			t.Run(fmt.Sprint(kind, shard), func(t *testing.T) {
				s, records, log := kept(t, "carts")
				s.source.add(some(100, noon.Add(-time.Minute))...)
				req := ingest.Request{Start: day, End: noon, Shard: shard}
				s.opt.Online = &refusing{Writer: s.online, kind: fault.Invalid, shoppers: []int64{50, 51, 52, 53, 54, 55, 56, 57}}
				if _, err := ingest.New(s.opt).Materialize(t.Context(), req); err == nil {
					t.Fatal("the run does not fail")
				}
				s.opt.Online = &unread{s.online, kind}
				_, err := ingest.New(s.opt).Materialize(t.Context(), req)
				want := "feature view carts: the rows of the unfinished run from 2024-05-31 12:00:00+00:00 to 2024-06-01 12:00:00+00:00 cannot be checked: the store does not read; try again to continue it, or start over with --restart"
				if fault.KindOf(err) != kind || err.Error() != want || len(names(t, records)) != 1 || log.Len() > 0 {
					t.Errorf("%v\nwant %s\nrecords %v, log %s", err, want, names(t, records), log)
				}
				s.opt.Online = s.online
				if results, err := ingest.New(s.opt).Materialize(t.Context(), req); err != nil || results[0].Resumed == 0 {
					t.Errorf("%+v, %v", results, err)
				}
				req.Restart, s.opt.Online = true, &unread{s.online, kind}
				if _, err := ingest.New(s.opt).Materialize(t.Context(), req); err != nil {
					t.Error("with --restart:", err)
				}
			})
		}
	}
}

// edit changes the definition of carts.
func edit(t testing.TB, s *shop, change func(*core.FeatureView)) {
	t.Helper()
	_, err := registry.Update(t.Context(), s.opt.Storage, func(reg *core.Registry) error {
		change(reg.GetFeatureViews()[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An unfinished run of another window stays as it is, and the rows that it has
// stored are not replaced by older ones, now or after it was finished.
func TestAnUnfinishedRunOfALaterWindow(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	for id := range 100 {
		s.source.add(row{shopper: id + 1, items: 5000, at: noon.AddDate(0, 0, -9), made: noon.AddDate(0, 0, -9)})
	}
	unfinishedRun(t, s, noon.AddDate(0, 0, -2), noon)
	have := s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if len(have) == 0 {
		t.Fatal("the test is wrong: nothing is stored")
	}
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -10), End: noon.AddDate(0, 0, -8)})
	if err != nil || results[0].Older == 0 || results[0].Resumed != 0 || results[0].Written+results[0].Older != 100 {
		t.Fatalf("%+v, %v", results, err)
	}
	for id, items := range s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) {
		if want, newer := have[id]; newer && items != want {
			t.Errorf("an older row replaced the row of %d", id)
		}
	}
	if len(names(t, records)) != 1 {
		t.Error(names(t, records))
	}
	results, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -2), End: noon})
	if err != nil || results[0].Resumed == 0 || results[0].Keys != 100 || results[0].Written != 100 {
		t.Fatalf("%+v, %v", results, err)
	}
	if got := s.stored(t, 1, 50, 100); !cmp.Equal(got, map[int]int64{1: 1, 50: 50, 100: 100}) || len(names(t, records)) != 0 {
		t.Error(got, names(t, records))
	}
}

// What a run has stored that is never continued is remembered until a window
// contains it.
func TestTheReachOfARunThatIsGivenUp(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon.Add(-time.Minute))...)
	for id := range 100 {
		s.source.add(row{shopper: id + 1, items: 5000, at: noon.AddDate(0, 0, -9), made: noon.AddDate(0, 0, -9)})
	}
	unfinishedRun(t, s, noon.AddDate(0, 0, -2), noon)
	have := s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	s.clock.set(noon.AddDate(0, 0, 3))
	for _, day := range []int{-10, -9} { // the second run knows it from the first
		results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, day), End: noon.AddDate(0, 0, -8)})
		if err != nil || results[0].Older == 0 {
			t.Fatalf("%+v, %v", results, err)
		}
	}
	for id, items := range s.stored(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) {
		if want, newer := have[id]; newer && items != want {
			t.Errorf("an older row replaced the row of %d", id)
		}
	}
	if len(names(t, records)) != 1 {
		t.Error(names(t, records))
	}
	if _, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -3), End: noon}); err != nil {
		t.Fatal(err)
	}
	if got := s.stored(t, 1, 50, 100); !cmp.Equal(got, map[int]int64{1: 1, 50: 50, 100: 100}) || len(names(t, records)) != 0 {
		t.Error(got, names(t, records))
	}
}

// Rows that the store refused are tried again by the run that continues.
func TestRefusedRowsAreTriedAgain(t *testing.T) {
	s, _, _ := kept(t, "carts")
	s.source.add(some(100, noon)...)
	store := &refusing{Writer: s.online, kind: fault.Invalid, shoppers: []int64{33, 77}}
	s.opt.Online = store
	if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "the store cannot hold 2 rows") {
		t.Fatal(err)
	}
	if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "the store cannot hold 2 rows") || len(s.intervals(t, "carts")) != 0 {
		t.Fatal("the second run forgets them:", err)
	}
	store.shoppers = nil
	if results, err := s.run(t.Context()); err != nil || results[0].Written != 100 {
		t.Fatalf("%+v, %v", results, err)
	}
	if got := s.stored(t, 33, 77); len(got) != 2 {
		t.Error(got)
	}
}

// A run that is going on is not taken for an unfinished one: another run of its
// window begins from the start, and both end well.
func TestALiveRunIsNotContinued(t *testing.T) {
	s, records, _ := kept(t, "carts")
	s.source.add(some(100, noon)...)
	var inner []ingest.Result
	var err error
	outer := &refusing{Writer: s.online}
	outer.before = func(ctx context.Context, call int64) error {
		if call != 15 {
			return nil
		}
		<-time.After(700 * time.Millisecond) // a record of what is stored is written
		if len(names(t, records)) != 1 {
			t.Error(names(t, records))
		}
		other := s.opt
		other.Online = s.online
		inner, err = ingest.New(other).Materialize(ctx, ingest.Request{Start: noon.AddDate(-1, 0, 0), End: noon})
		return err
	}
	s.opt.Online = outer
	results, failed := s.run(t.Context())
	if failed != nil || err != nil || inner[0].Resumed != 0 || inner[0].Written != 100 || results[0].Written != 100 || results[0].Overlap == "" {
		t.Errorf("%+v %v\n%+v %v", results, failed, inner, err)
	}
	if len(names(t, records)) != 0 {
		t.Error(names(t, records))
	}
}

// Records are an aid: without them runs go on, with one warning.
func TestRecordsThatCannotBeKept(t *testing.T) {
	s, _, log := kept(t, "carts", "clicks")
	s.source.add(some(100, noon)...)
	s.opt.Runs = file.New("/proc/nowhere/registry.db").Records()
	results, err := s.run(t.Context())
	if err != nil || len(results) != 2 || strings.Count(log.String(), "records of runs cannot be kept") != 1 {
		t.Errorf("%+v, %v, %s", results, err, log)
	}
}

// A damaged record is removed with a warning, and one of a later version is left
// alone.
func TestStrangeRecords(t *testing.T) {
	s, records, log := kept(t, "carts")
	s.source.add(some(10, noon)...)
	for name, data := range map[string]string{"a": "", "b": "{}", "c": "\x00\x01", "d": `{"Format":9,"Future":true}`, "e": `{"Format":1,"Fingerprint":"x","Read":"2024-06-01T00:00:00Z","Stored":-1}`} {
		if err := records.Put(t.Context(), "shop/carts/"+name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if results, err := s.run(t.Context()); err != nil || results[0].Written != 10 {
		t.Errorf("%+v, %v", results, err)
	}
	if got := names(t, records); !cmp.Equal(got, []string{"shop/carts/d"}) || strings.Count(log.String(), "is damaged") != 4 {
		t.Error(got, log)
	}
}
