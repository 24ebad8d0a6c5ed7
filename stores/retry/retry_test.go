package retry_test

import (
	"context"
	"maps"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(testing.TB) stores.Store { return retry.New(new(memory.Store), retry.Options{}) })
}

// failing is a store whose first calls fail: completely, or for every other key.
type failing struct {
	memory.Store
	kind  fault.Kind
	whole bool
	times int
	calls int
}

func (f *failing) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	f.calls++
	rows, err := f.Store.Read(ctx, reads)
	if err != nil || f.calls > f.times {
		return rows, err
	}
	if f.whole {
		rows.Release()
		return nil, fault.Store(f.kind, "down")
	}
	for _, r := range rows.Reads {
		for i := range r {
			if i%2 == 0 {
				r[i] = stores.Row{Err: fault.Store(f.kind, "throttled")}
			}
		}
	}
	return rows, nil
}

func (f *failing) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	f.calls++
	if f.calls > f.times {
		return f.Store.Write(ctx, table, features, records, mode)
	}
	if f.whole {
		return stores.Written{}, fault.Store(f.kind, "down")
	}
	var w stores.Written
	for i := range records {
		if i%2 == 0 {
			w.Failed.Add(i, fault.Store(f.kind, "throttled"))
			continue
		}
		if _, err := f.Store.Write(ctx, table, features, records[i:i+1], mode); err != nil {
			return stores.Written{}, err
		}
	}
	return w, nil
}

var (
	table    = stores.Table{Project: "p", View: "v"}
	features = stores.NewSelection("a")
)

func records(n int) []stores.Record {
	out := make([]stores.Record, n)
	for i := range out {
		out[i] = stores.Record{Key: []byte{byte(i)}, Event: time.Unix(1, 0), Values: [][]byte{{2<<3 | 2, 1, 'x'}}}
	}
	return out
}

func keys(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = []byte{byte(i)}
	}
	return out
}

func TestFailuresThatPassAreNotSeen(t *testing.T) {
	for _, whole := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			inner := &failing{kind: fault.Overloaded, whole: whole, times: 4}
			s := retry.New(inner, retry.Options{})
			w, err := s.Write(t.Context(), table, features, records(5), stores.Replace)
			if err != nil || w.Stored(5) != 5 {
				t.Fatalf("Write: %v, %v", w, err)
			}
			inner.calls = 0
			rows, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: features, Keys: keys(5)}})
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Release()
			for i, r := range rows.Reads[0] {
				if r.Err != nil || !r.Found {
					t.Errorf("row %d: %+v", i, r)
				}
			}
			if rows.Stats.Retries == 0 {
				t.Error("no retry was counted")
			}
		})
	}
}

// scripted is a store whose writes return the given outcomes, in turn.
type scripted struct {
	memory.Store
	tells []stores.Written
	asked [][]byte // the first byte of each key
}

func (s *scripted) Write(_ context.Context, _ stores.Table, _ *stores.Selection, records []stores.Record, _ stores.Mode) (stores.Written, error) {
	var asked []byte
	for _, r := range records {
		asked = append(asked, r.Key[0])
	}
	w := s.tells[len(s.asked)]
	s.asked = append(s.asked, asked)
	return w, nil
}

// The outcome of a record has the record's own index, whichever attempt decided
// it; a bad record is neither retried nor lost.
func TestOutcomesOfRetriesAreThoseOfTheRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, bad := fault.Store(fault.Overloaded, "busy"), fault.Store(fault.Invalid, "bad")
		inner := &scripted{tells: []stores.Written{
			{Older: []int{6}, Failed: stores.Unwritten{Indexes: []int{0, 2, 3, 5, 7}, Errs: []error{busy, bad, busy, busy, busy}}},
			{Older: []int{1}, Failed: stores.Unwritten{Indexes: []int{0, 2}, Errs: []error{busy, bad}}}, // of 0, 3, 5, 7
			{Older: []int{0}},
		}}
		w, err := retry.New(inner, retry.Options{}).Write(t.Context(), table, features, records(8), stores.Newer)
		if err != nil {
			t.Fatal(err)
		}
		want := stores.Written{Older: []int{0, 3, 6}, Failed: stores.Unwritten{Indexes: []int{2, 5}, Errs: []error{bad, bad}}}
		if !reflect.DeepEqual(w, want) {
			t.Errorf("%v, want %v", w, want)
		}
		if want := [][]byte{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 3, 5, 7}, {0}}; !reflect.DeepEqual(inner.asked, want) {
			t.Errorf("asked for %v, want %v", inner.asked, want)
		}
	})
}

func TestWhatWillNotPassIsNotTriedAgain(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Denied, fault.NotFound, fault.Invalid, fault.Canceled} {
		inner := &failing{kind: kind, whole: true, times: 100}
		if _, err := retry.New(inner, retry.Options{}).Read(t.Context(), []stores.Read{{Table: table, Features: features, Keys: keys(1)}}); fault.KindOf(err) != kind {
			t.Errorf("%v: %v", kind, err)
		}
		if inner.calls != 1 {
			t.Errorf("%v: %d calls", kind, inner.calls)
		}
	}
}

func TestRetriesEndBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &failing{kind: fault.Unavailable, times: 1000}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		rows, err := retry.New(inner, retry.Options{Attempts: 1000}).Read(ctx, []stores.Read{{Table: table, Features: features, Keys: keys(4)}})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Release()
		if took := time.Since(start); took > 300*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if r := rows.Reads[0][0]; fault.KindOf(r.Err) != fault.Unavailable {
			t.Errorf("the first row says %v", r.Err)
		}
		if r := rows.Reads[0][1]; r.Err != nil {
			t.Errorf("the second row says %v", r.Err)
		}
	})
}

func TestTheBudgetBoundsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &failing{kind: fault.Unavailable, whole: true, times: 1 << 30}
		s := retry.New(inner, retry.Options{Attempts: 50, Budget: 10})
		for range 100 {
			if _, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: features, Keys: keys(1)}}); err == nil {
				t.Fatal("a failing store returned rows")
			}
		}
		if inner.calls != 110 {
			t.Errorf("%d calls of 100 requests with a budget of 10 retries", inner.calls)
		}
	})
}

// A wait longer than the remaining time is cut; the retry still takes place.
func TestTheRemainingTimeIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			s := retry.New(&failing{kind: fault.Unavailable, whole: true, times: 1}, retry.Options{First: time.Minute, Longest: time.Minute})
			rows, err := s.Read(ctx, []stores.Read{{Table: table, Features: features, Keys: keys(1)}})
			if err != nil {
				t.Fatal(err)
			}
			rows.Release()
			cancel()
		}
	})
}

// The metrics count the retries, and what was missing for more.
func TestMetricsOfRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		s := retry.New(&failing{kind: fault.Unavailable, whole: true, times: 1 << 30}, retry.Options{Attempts: 3, Budget: 5, Metrics: reg})
		short, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond) // less than a response takes
		defer cancel()
		for _, ctx := range []context.Context{short, t.Context(), t.Context(), t.Context()} {
			if _, err := s.Read(ctx, []stores.Read{{Table: table, Features: features, Keys: keys(1)}}); err == nil {
				t.Fatal("a failing store returned rows")
			}
		}
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					got[l.GetValue()] = m.GetCounter().GetValue()
				}
				if len(m.GetLabel()) == 0 {
					got[f.GetName()] = m.GetCounter().GetValue()
				}
			}
		}
		want := map[string]float64{"banquet_store_retries_total": 5, "attempts": 2, "budget": 1, "time": 1}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// Failures caused by banquet's own limits are not retried.
func TestOwnLimitsAreNotRetried(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Overloaded, fault.TooLarge} {
		inner := &refusing{err: fault.New(kind, "too much")}
		if _, err := retry.New(inner, retry.Options{}).Read(t.Context(), []stores.Read{{Table: table, Features: features, Keys: keys(2)}}); fault.KindOf(err) != kind {
			t.Error(err)
		}
		if inner.calls != 1 {
			t.Errorf("%v: %d calls", kind, inner.calls)
		}
	}
}

// refusing is a store whose reads fail.
type refusing struct {
	memory.Store
	err   error
	calls int
}

func (r *refusing) Read(context.Context, []stores.Read) (*stores.Rows, error) {
	r.calls++
	return nil, r.err
}

// A caller who repeats himself what a busy store refuses gets it back at once;
// other failures are retried, also in the same call.
func TestRetriesThatAreLeftToTheCaller(t *testing.T) {
	ctx := stores.WithoutBusyRetries(t.Context())
	inner := &failing{kind: fault.Overloaded, times: 1}
	w, err := retry.New(inner, retry.Options{}).Write(ctx, table, features, records(6), stores.Replace)
	if err != nil || len(w.Failed.Indexes) != 3 || inner.calls != 1 {
		t.Errorf("%+v, %v after %d calls", w, err, inner.calls)
	}
	inner = &failing{kind: fault.Overloaded, times: 1, whole: true}
	if _, err := retry.New(inner, retry.Options{}).Write(ctx, table, features, records(6), stores.Replace); fault.KindOf(err) != fault.Overloaded || inner.calls != 1 {
		t.Errorf("%v after %d calls", err, inner.calls)
	}
	for _, whole := range []bool{false, true} {
		inner = &failing{kind: fault.Unavailable, times: 3, whole: whole}
		w, err = retry.New(inner, retry.Options{}).Write(ctx, table, features, records(6), stores.Replace)
		if err != nil || len(w.Failed.Indexes) != 0 || inner.calls != 4 {
			t.Errorf("%+v, %v after %d calls", w, err, inner.calls)
		}
	}
}
