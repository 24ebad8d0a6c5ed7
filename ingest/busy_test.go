package ingest_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/retry"
)

// busy is a store that refuses rows because it has too much to do.
type busy struct {
	stores.Store
	mu     sync.Mutex
	random *rand.Rand
	share  float64 // of the rows that are refused
	limit  int     // rows that are written at once; more are refused
	under  int
	calls  int
	// most is how many rows were written at once at most, in the last calls.
	most []int
}

func (b *busy) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	b.mu.Lock()
	b.calls++
	b.under += len(records)
	b.most = append(b.most, b.under)
	excess := b.under - b.limit
	var good []stores.Record
	var failed stores.Written
	for i, r := range records {
		if b.random.Float64() < b.share || b.limit > 0 && i < excess {
			failed.Failed.Add(i, fault.Store(fault.Overloaded, "the table is busy"))
			continue
		}
		good = append(good, r)
	}
	b.mu.Unlock()
	<-time.After(5 * time.Millisecond)
	b.mu.Lock()
	b.under -= len(records)
	b.mu.Unlock()
	if len(good) == 0 {
		return stores.Written{}, fault.Store(fault.Overloaded, "the table is busy")
	}
	if _, err := b.Store.Write(ctx, table, features, good, mode); err != nil {
		return stores.Written{}, err
	}
	return failed, nil
}

// busyShop is a shop whose store is busy, with the program's retries around it.
func busyShop(t *testing.T, share float64, limit, rows int) (*shop, *busy) {
	s := newShop(t, false, "carts")
	s.source.add(some(rows, noon)...)
	b := &busy{Store: s.online, random: rand.New(rand.NewPCG(1, 2)), share: share, limit: limit}
	s.opt.Online = retry.New(b, retry.Options{})
	return s, b
}

// However many rows a busy store refuses, all are stored in the end.
func TestABusyStoreLosesNothing(t *testing.T) {
	for _, share := range []float64{0.1, 0.5, 0.9, 0.95} {
		synctest.Test(t, func(t *testing.T) {
			s, b := busyShop(t, share, 0, 3000)
			results, err := s.run(t.Context())
			if err != nil || results[0].Written != 3000 {
				t.Fatalf("%v: %+v, %v after %d calls", share, results, err, b.calls)
			}
			if got := s.stored(t, 1, 1500, 3000); len(got) != 3 {
				t.Error(got)
			}
		})
	}
}

// The rows that are written at once approach what the store takes.
func TestWritesAdaptToTheStore(t *testing.T) {
	for _, limit := range []int{100, 500, 2500} {
		synctest.Test(t, func(t *testing.T) {
			s, b := busyShop(t, 0, limit, 60_000)
			began := time.Now()
			if _, err := s.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			ideal := 60_000 / limit * 5 * int(time.Millisecond)
			refused, late := 0, b.most[len(b.most)/2:]
			for _, n := range late {
				refused += max(0, n-limit)
			}
			if took > 2*time.Duration(ideal) || refused > 20_000 {
				t.Errorf("limit %d: %s, not near %s; %d rows were refused in the second half", limit, took, time.Duration(ideal), refused)
			}
		})
	}
}

// A store that accepts nothing for minutes ends the run, and says why.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := busyShop(t, 1, 0, 3000)
		began := time.Now()
		_, err := s.run(t.Context())
		if took := time.Since(began); took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("after %s", took)
		}
		want := "the online store has been busy for 5m0s and has accepted no row in that time: the table is busy; of 3000 rows of feature view carts none is known to be stored"
		if fault.KindOf(err) != fault.Overloaded || !strings.HasPrefix(err.Error(), want) || b.calls > 2000 {
			t.Errorf("%v after %d calls", err, b.calls)
		}
	})
}

// A store that is down ends the run within seconds, whatever a busy one may.
func TestAnOutageEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, false, "carts")
		s.source.add(some(3000, noon)...)
		s.opt.Online = retry.New(s.from(1), retry.Options{})
		began := time.Now()
		_, err := s.run(t.Context())
		if took := time.Since(began); took > 20*time.Second || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// A busy store does not keep a stopped run waiting.
func TestABusyStoreAndACanceledRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := busyShop(t, 1, 0, 3000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := ingest.New(s.opt).Materialize(ctx, ingest.Request{Start: noon.AddDate(-1, 0, 0), End: noon}); fault.KindOf(err) != fault.TimedOut || time.Since(began) > 61*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}
