package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
)

// The next run covers rows that arrive while a run reads, wherever the end of
// the window lies: before the read began, during it, or in the future.
func TestRowsThatArriveMeanwhileAreTakenByTheNextRun(t *testing.T) {
	for name, end := range map[string]time.Time{
		"before": noon.Add(-time.Second), "at": noon, "meanwhile": noon.Add(2 * time.Second), "soon": noon.Add(20 * time.Second), "far": noon.AddDate(1, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, false, "carts")
			s.source.add(some(5, noon.Add(-time.Hour))...)
			arrivals := 0
			s.source.ranged = func(context.Context) error {
				// The read takes ten seconds, and rows arrive at each.
				for i := range 10 {
					arrivals++
					s.source.add(row{shopper: 100 + arrivals, items: 1, at: s.clock.now().Add(time.Duration(i) * time.Second)})
				}
				s.clock.set(s.clock.now().Add(10 * time.Second))
				return nil
			}
			s.incremental(t, end)
			if i := s.intervals(t, "carts"); len(i) != 1 || i[0][1].After(noon) {
				t.Errorf("recorded: %v", i)
			}
			s.clock.set(noon.Add(time.Hour))
			s.incremental(t, noon.Add(time.Hour))
			if i := s.intervals(t, "carts"); len(i) != 2 || !i[1][0].Equal(i[0][1]) || i[1][1].After(noon.Add(time.Hour)) {
				t.Errorf("recorded: %v", i)
			}
			for id := 101; id <= 110; id++ {
				if len(s.stored(t, id)) == 0 {
					t.Errorf("shopper %d was skipped", id)
				}
			}
		})
	}
}

// A window that lies entirely in the future is read and not recorded.
func TestAWindowInTheFuture(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(row{shopper: 1, items: 1, at: noon.AddDate(0, 0, 2)})
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, 1), End: noon.AddDate(0, 0, 3)})
	if err != nil || results[0].Written != 1 {
		t.Fatalf("%+v, %v", results, err)
	}
	if i := s.intervals(t, "carts"); len(i) != 0 {
		t.Errorf("recorded: %v", i)
	}
}

// Rows that were created after the last run with event times before the window
// are counted, once, and the named command materializes them.
func TestLateRowsAreCounted(t *testing.T) {
	s := newShop(t, true, "carts")
	// A window may end long before its rows are written and read.
	rows := some(5, noon.Add(-time.Hour))
	for i := range rows {
		rows[i].made = noon.Add(-time.Minute)
	}
	s.source.add(rows...)
	if r := s.incremental(t, noon.Add(-30*time.Minute)); r.Written != 5 || r.Late != "" || r.Hint != "" {
		t.Errorf("%+v", r)
	}
	early := noon.Add(-50 * time.Hour)
	s.source.add(row{shopper: 1, items: 70, at: early, made: noon.Add(time.Minute)}, row{shopper: 6, items: 6, at: early.Add(time.Hour + time.Millisecond), made: noon.Add(time.Minute)},
		row{shopper: 7, items: 7, at: early}, // its created time is unknown
		row{shopper: 8, items: 8, at: noon.Add(time.Minute), made: noon.Add(time.Minute)})
	s.clock.set(noon.Add(time.Hour))
	r := s.incremental(t, noon.Add(time.Hour))
	want := "carts: 2 rows arrived after the last run, of 2024-06-01 12:00:00+00:00, with event times outside of this window, from 2024-05-30 10:00:00+00:00 to 2024-05-30 11:00:00+00:00, " +
		"and are not materialized; to materialize them: banquet materialize 2024-05-30T10:00:00 2024-05-30T11:00:01 --views carts"
	if r.Late != want || r.Written != 1 || r.Hint != "" {
		t.Errorf("%+v", r)
	}
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"carts"}, Start: early, End: early.Add(time.Hour + time.Second)})
	if err != nil || results[0].Late != "" {
		t.Errorf("%+v, %v", results, err)
	}
	if got := s.stored(t, 1, 6); got[1] != 1 || got[6] != 6 {
		t.Errorf("an older row replaced a newer one, or is not there: %v", got)
	}
	s.clock.set(noon.Add(2 * time.Hour))
	if r := s.incremental(t, noon.Add(2*time.Hour)); r.Late != "" || r.Hint != "" {
		t.Errorf("after all is taken: %+v", r)
	}
}

// The next run counts rows that arrive late while a run reads.
func TestLateRowsWhileARunReads(t *testing.T) {
	s := newShop(t, true, "carts")
	s.source.add(some(3, noon.Add(-time.Hour))...)
	s.source.ranged = func(context.Context) error {
		s.source.ranged = nil
		s.clock.set(noon.Add(time.Minute))
		s.source.add(row{shopper: 9, items: 9, at: noon.Add(-10 * time.Hour), made: noon.Add(time.Second)})
		return nil
	}
	s.incremental(t, noon.Add(-time.Minute))
	s.clock.set(noon.Add(time.Hour))
	if r := s.incremental(t, noon.Add(time.Hour)); !strings.HasPrefix(r.Late, "carts: 1 row arrived after the last run, of 2024-06-01 12:00:00+00:00") {
		t.Errorf("%+v", r)
	}
}

// A run over a window of the past counts late rows on both of its sides, and
// none that it reads itself or that a later run reads.
func TestLateRowsAroundAnExplicitWindow(t *testing.T) {
	s := newShop(t, true, "carts")
	s.source.add(some(3, noon.Add(-time.Hour))...)
	s.incremental(t, noon)
	s.clock.set(noon.Add(time.Hour))
	made := noon.Add(time.Minute)
	for i, hours := range []int{-30, -20, -20, -10, -9, 1} {
		s.source.add(row{shopper: i + 1, items: 1, at: noon.Add(time.Duration(hours) * time.Hour), made: made})
	}
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.Add(-21 * time.Hour), End: noon.Add(-19 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if r.Written+r.Older != 2 || !strings.HasPrefix(r.Late, "carts: 3 rows arrived after the last run") || !strings.HasSuffix(r.Late, "banquet materialize 2024-05-31T06:00:00 2024-06-01T03:00:00 --views carts") {
		t.Errorf("%+v", r)
	}
	if r := s.incremental(t, noon.Add(time.Hour)); r.Written != 1 || r.Late != "" {
		t.Errorf("%+v", r)
	}
}

// A run whose end lies in the future stores rows later than the recorded end. A
// later run whose end comes before them does not replace them with older rows.
func TestRowsFromTheFutureStay(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(row{shopper: 1, items: 1, at: noon.Add(-time.Hour)}, row{shopper: 2, items: 2, at: noon.Add(48 * time.Hour)})
	s.incremental(t, noon.AddDate(0, 0, 7))
	s.source.add(row{shopper: 1, items: 11, at: noon.Add(time.Minute)}, row{shopper: 2, items: 12, at: noon.Add(time.Minute)})
	s.clock.set(noon.Add(time.Hour))
	if r := s.incremental(t, noon.Add(time.Hour)); r.Written != 1 || r.Older != 1 {
		t.Errorf("%+v", r)
	}
	if got := s.stored(t, 1, 2); got[1] != 11 || got[2] != 2 {
		t.Errorf("stored: %v", got)
	}
}

// Looking for late rows never fails a run, and is skipped where it can find
// nothing.
func TestLateRowsAreACourtesy(t *testing.T) {
	s := newShop(t, true, "carts")
	s.source.add(some(3, noon.Add(-time.Hour))...)
	s.incremental(t, noon.Add(-time.Minute))
	if len(s.source.queries) != 0 {
		t.Errorf("a first run asks for %v", s.source.queries)
	}
	s.source.add(row{shopper: 4, items: 4, at: noon.Add(time.Minute), made: noon.Add(time.Minute)})
	s.clock.set(noon.Add(time.Hour))
	s.source.spanOf = func(context.Context) error { return errors.New("no") }
	if r := s.incremental(t, noon.Add(time.Hour)); r.Written != 1 || r.Late != "" {
		t.Errorf("%+v", r)
	}
	if len(s.source.queries) != 1 {
		t.Errorf("%d questions", len(s.source.queries))
	}
	plain := newShop(t, false, "carts")
	plain.source.add(some(3, noon.Add(-time.Hour))...)
	plain.incremental(t, noon.Add(-time.Minute))
	plain.source.add(row{shopper: 4, items: 4, at: noon.Add(time.Minute)})
	plain.clock.set(noon.Add(time.Hour))
	plain.incremental(t, noon.Add(time.Hour))
	if len(plain.source.queries) != 0 {
		t.Errorf("a source without created times is asked for %v", plain.source.queries)
	}
}

// A run without problems warns only when something is missing.
func TestQuietRuns(t *testing.T) {
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	explicit := func(s *shop, from, to time.Time) ingest.Result {
		results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: from, End: to})
		if err != nil {
			t.Fatal(err)
		}
		return results[0]
	}
	for name, c := range map[string]struct {
		rows []row
		runs func(s *shop) ingest.Result
		want string // of the last run's hint; empty: none
	}{
		"all is loaded": {some(5, hour(-1)), func(s *shop) ingest.Result {
			s.incremental(t, hour(0))
			s.clock.set(hour(1))
			return s.incremental(t, hour(1))
		}, ""},
		"the first window left rows out by its choice": {append(some(5, hour(-1)), row{shopper: 9, at: hour(-9000)}), func(s *shop) ingest.Result {
			s.incremental(t, hour(0))
			s.clock.set(hour(1))
			return s.incremental(t, hour(1))
		}, ""},
		"what comes later is taken later": {append(some(5, hour(-10)), row{shopper: 9, at: hour(-1)}, row{shopper: 9, at: hour(100)}), func(s *shop) ingest.Result {
			s.incremental(t, hour(-5))
			return s.incremental(t, hour(-4))
		}, ""},
		"a first run that comes years after the rows": {
			some(5, hour(-90000)), func(s *shop) ingest.Result { return s.incremental(t, hour(0)) },
			"nearest event, 2014-02-24 12:00:00+00:00, lies before the window; to materialize all its rows: banquet materialize 2014-02-24T11:56:00 2014-02-24T12:00:00 --views carts",
		},
		"and a second one": {some(5, hour(-90000)), func(s *shop) ingest.Result {
			s.incremental(t, hour(0))
			s.clock.set(hour(1))
			return s.incremental(t, hour(1))
		}, "lies before the window"},
		"too early": {some(5, hour(-1)), func(s *shop) ingest.Result { return explicit(s, hour(-90000), hour(-89000)) }, "lies after the window"},
		"before and after": {
			append(some(5, hour(-1)), row{shopper: 9, at: hour(-100)}), func(s *shop) ingest.Result { return explicit(s, hour(-50), hour(-49)) },
			"the source has no row between 2024-05-30 10:00:00+00:00 and 2024-05-30 11:00:00+00:00, only rows before and after",
		},
		"times that no window can name": {
			[]row{{shopper: 9, at: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}, {shopper: 9, at: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}},
			func(s *shop) ingest.Result { return explicit(s, hour(-50), hour(-49)) },
			"to materialize all of them: banquet materialize 0001-01-01T00:00:00 9999-12-31T23:59:59 --views carts",
		},
		"between two windows": {append(some(5, hour(-1)), row{shopper: 9, at: hour(-100)}, row{shopper: 9, at: hour(-50)}), func(s *shop) ingest.Result {
			explicit(s, hour(-101), hour(-99))
			explicit(s, hour(-2), hour(0))
			s.clock.set(hour(1))
			return s.incremental(t, hour(1))
		}, "1 row from 2024-05-30 10:00:00+00:00 to 2024-05-30 10:00:00+00:00 lies between two recorded windows and was never materialized; to materialize it: banquet materialize 2024-05-30T10:00:00 2024-05-30T10:00:00 --views carts"},
		"nothing between two windows": {append(some(5, hour(-1)), row{shopper: 9, at: hour(-100)}), func(s *shop) ingest.Result {
			explicit(s, hour(-101), hour(-99))
			explicit(s, hour(-2), hour(0))
			s.clock.set(hour(1))
			return s.incremental(t, hour(1))
		}, ""},
		"no rows":                {nil, func(s *shop) ingest.Result { return s.incremental(t, hour(0)) }, "holds no row with an event time"},
		"only null keys":         {[]row{{at: hour(-1)}, {at: hour(-2)}}, func(s *shop) ingest.Result { return s.incremental(t, hour(0)) }, "has all its join keys"},
		"a window in the future": {some(5, hour(-1)), func(s *shop) ingest.Result { return explicit(s, hour(5), hour(6)) }, "lies before the window"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, false, "carts")
			s.source.add(c.rows...)
			r := c.runs(s)
			if r.Written != 0 || c.want == "" && r.Hint != "" || !strings.Contains(r.Hint, c.want) {
				t.Errorf("%+v\nwant %s", r, c.want)
			}
		})
	}
}

// A first incremental run that ends before its window begins has nothing to do,
// and does not claim that anything was done before.
func TestAFirstRunThatEndsTooEarly(t *testing.T) {
	s := newShop(t, false, "carts")
	s.source.add(some(5, noon.AddDate(0, 0, -60))...)
	r := s.incremental(t, noon.AddDate(0, 0, -50))
	if want := "its first incremental run goes back by its ttl, to 2024-05-02 12:00:00+00:00, which is after 2024-04-12 12:00:00+00:00"; !strings.Contains(r.Hint, want) || strings.Contains(r.Hint, "already") {
		t.Errorf("%s\nwant %s", r.Hint, want)
	}
	if list := s.intervals(t, "carts"); len(list) != 0 {
		t.Errorf("recorded: %v", list)
	}
	s.incremental(t, noon)
	if r = s.incremental(t, noon.AddDate(0, 0, -50)); !strings.Contains(r.Hint, "already materialized up to 2024-06-01 12:00:00+00:00") {
		t.Error(r.Hint)
	}
}

// The optional questions to the source end with the run's context.
func TestACourtesyEndsWithItsContext(t *testing.T) {
	s := newShop(t, true, "carts")
	s.source.add(some(3, noon.Add(-time.Hour))...)
	s.incremental(t, noon)
	s.clock.set(noon.Add(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	s.source.spanOf = func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return fault.Of(ctx.Err())
	}
	results, err := ingest.New(s.opt).MaterializeIncremental(ctx, ingest.Request{End: noon.Add(time.Hour)})
	if err != nil || len(results) != 1 || len(s.intervals(t, "carts")) != 2 {
		t.Errorf("the window is recorded, and the run fails: %v", err)
	}
}

var _ offline.Store = (*source)(nil)
