package stores_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// row is what a table holds in these tests.
type row struct {
	event time.Time
	value string
}

// naive stores records one after the other, except the failed ones, and returns
// which are older than the row in the table: the plainest implementation.
func naive(table map[string]row, records []stores.Record, mode stores.Mode, unit time.Duration, failed map[int]bool) (older []int) {
	for i, r := range records {
		key, event := string(r.Key), r.Event.Truncate(unit)
		if old, there := table[key]; !failed[i] && (mode == stores.Replace || !there || !event.Before(old.event)) {
			table[key] = row{event, string(r.Values[0])}
		}
	}
	for i, r := range records {
		if !failed[i] && mode == stores.Newer && r.Event.Truncate(unit).Before(table[string(r.Key)].event) {
			older = append(older, i)
		}
	}
	return older
}

// Sending one record per key gives the same rows and outcomes as sending all
// records one after the other, whatever repeats and whatever is bad.
func TestRoundsEqualWritingOneByOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		unit := []time.Duration{time.Nanosecond, time.Microsecond, time.Second}[n%3]
		mode := []stores.Mode{stores.Replace, stores.Newer}[n%2]
		at := func() time.Time { return time.Unix(random.Int64N(4), random.Int64N(3)*400) }
		got, want, bad := map[string]row{}, map[string]row{}, map[int]bool{}
		for k := range random.IntN(4) {
			r := row{at().Truncate(unit), "there"}
			got[fmt.Sprint(k)], want[fmt.Sprint(k)] = r, r
		}
		records := make([]stores.Record, random.IntN(12))
		for i := range records {
			records[i] = stores.Record{Key: fmt.Append(nil, random.IntN(4)), Event: at(), Values: [][]byte{fmt.Append(nil, i)}}
			if random.IntN(4) == 0 {
				bad[i] = true
			}
		}
		w := send(t, got, records, mode, unit, bad)
		failed := map[int]bool{}
		for _, i := range w.Failed.Indexes {
			failed[i] = true
		}
		older := naive(want, records, mode, unit, failed)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
			t.Fatalf("%d: rows (-one by one +rounds)\n%s", n, diff)
		}
		if diff := cmp.Diff(older, w.Older); diff != "" {
			t.Fatalf("%d: older (-one by one +rounds)\n%s", n, diff)
		}
		for i, r := range records {
			if failed[i] != bad[i] && (failed[i] || i%2 == 0 || got[string(r.Key)].value == string(r.Values[0])) {
				t.Fatalf("%d: record %d is bad: %v; it failed: %v", n, i, bad[i], failed[i])
			}
		}
		if n := w.Stored(len(records)); n != len(records)-len(older)-len(failed) {
			t.Fatalf("%d are stored", n)
		}
	}
}

// send sends records in rounds. Half of the bad records are known before, the
// others are refused when they are sent; records that another record replaces are
// never sent.
func send(t *testing.T, table map[string]row, records []stores.Record, mode stores.Mode, unit time.Duration, bad map[int]bool) stores.Written {
	t.Helper()
	refusal := fault.New(fault.Invalid, "bad")
	place := -1
	w := stores.NewWriting(records, mode, unit, func(*stores.Record) error {
		if place++; bad[place] && place%2 == 0 {
			return refusal
		}
		return nil
	})
	for round := w.Round(); len(round) > 0; round = w.Round() {
		seen := map[string]bool{}
		for _, i := range round {
			key := string(records[i].Key)
			if seen[key] {
				t.Fatalf("a round sends key %s twice", key)
			}
			seen[key] = true
			event := records[i].Event.Truncate(unit)
			switch old, there := table[key]; {
			case bad[i]:
				w.Refuse(refusal, i)
			case mode == stores.Newer && there && old.event.After(event):
				w.Older(i)
			default:
				table[key] = row{event, string(records[i].Values[0])}
			}
		}
	}
	written, err := w.Result()
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// A failure that may pass applies to all records of the key: written again, they
// are stored in their order.
func TestAFailureAppliesToTheWholeKey(t *testing.T) {
	records := []stores.Record{{Key: []byte("a")}, {Key: []byte("b")}, {Key: []byte("a")}, {Key: []byte("c")}}
	w := stores.NewWriting(records, stores.Replace, 1, nil)
	if diff := cmp.Diff([]int{2, 1, 3}, w.Round()); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	busy := errors.New("busy")
	w.Fail(busy, 2)
	written, err := w.Result()
	if diff := cmp.Diff([]int{0, 2}, written.Failed.Indexes); diff != "" || err != nil {
		t.Fatalf("(-want +got)\n%s, %v", diff, err)
	}
}

// When nothing is stored Write fails, unless each record has its own reason.
func TestWhenNothingIsStored(t *testing.T) {
	records := []stores.Record{{Key: []byte("a")}, {Key: []byte("b")}}
	for _, c := range []struct {
		name  string
		fail  func(w *stores.Writing)
		whole bool
	}{
		{"the store is down", func(w *stores.Writing) { w.Fail(fault.New(fault.Unavailable, "down"), 0, 1) }, true},
		{"the store is busy", func(w *stores.Writing) { w.Fail(fault.New(fault.Overloaded, "busy"), 0, 1) }, false},
		{"both are bad", func(w *stores.Writing) {
			w.Refuse(fault.New(fault.Invalid, "bad"), 0)
			w.Refuse(fault.New(fault.Invalid, "bad"), 1)
		}, false},
		{"one is bad, for the other the store is down", func(w *stores.Writing) {
			w.Refuse(fault.New(fault.Invalid, "bad"), 0)
			w.Fail(fault.New(fault.Unavailable, "down"), 1)
		}, false},
	} {
		w := stores.NewWriting(records, stores.Replace, 1, nil)
		w.Round()
		c.fail(w)
		written, err := w.Result()
		if (err != nil) != c.whole || !c.whole && len(written.Failed.Indexes) != 2 || written.Older != nil {
			t.Errorf("%s: %v, %v", c.name, written, err)
		}
	}
}
