package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// modes are the modes of a write, by name.
var modes = map[string]stores.Mode{"Replace": stores.Replace, "Newer": stores.Newer}

// tooFar is an event time that no store can hold.
var tooFar = time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC)

func isOlder(t testing.TB, got []int, indexes ...int) {
	t.Helper()
	if !slices.Equal(got, indexes) {
		t.Errorf("records %v are older, want %v", got, indexes)
	}
}

// older writes records before, at and after the stored time.
func older(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(1), moment, text("there")), record(key(2), moment, text("there")), record(key(3), moment, text("there")))
	around := []stores.Record{
		record(key(0), moment, text("first")),
		record(key(1), moment.Add(-time.Hour), text("older")),
		record(key(2), moment, text("same time")),
		record(key(3), moment.Add(time.Hour), text("newer")),
	}
	isOlder(t, write(t, s, table, []string{"a"}, stores.Newer, around...), 1)
	rows := read(t, s, table, []string{"a"}, key(0), key(1), key(2), key(3))
	for i, v := range []string{"first", "there", "same time", "newer"} {
		want(t, rows[i], text(v))
	}
	isOlder(t, write(t, s, table, []string{"a"}, stores.Newer, around...), 1) // again
	isOlder(t, write(t, s, table, []string{"a"}, stores.Replace, around...))
}

// olderInWrite repeats keys within one write.
func olderInWrite(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	write(t, s, table, []string{"a"}, stores.Replace, record(key(4), moment.Add(time.Minute), text("there")), record(key(5), moment.Add(time.Hour), text("there")))
	records := []stores.Record{
		record(key(1), moment, text("old")), // and a newer one comes
		record(key(2), moment, text("first")),
		record(key(3), moment.Add(time.Second), text("new")),
		record(key(1), moment.Add(time.Second), text("new")),
		record(key(2), moment, text("second")), // at the same time
		record(key(3), moment, text("old")),    // after a newer one
		record(key(4), moment, text("older than the stored row")),
		record(key(4), moment.Add(time.Hour), text("newer than the stored row")),
		record(key(5), moment, text("older than the stored row")),
		record(key(5), moment.Add(time.Minute), text("this too")),
	}
	isOlder(t, write(t, s, table, []string{"a"}, stores.Newer, records...), 0, 5, 6, 8, 9)
	rows := read(t, s, table, []string{"a"}, key(1), key(2), key(3), key(4), key(5))
	for i, v := range []string{"new", "second", "new", "newer than the stored row", "there"} {
		want(t, rows[i], text(v))
	}
	isOlder(t, write(t, s, table, []string{"a"}, stores.Replace, records...))
}

// failsAlone puts one record that cannot be stored among many.
func failsAlone(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	const n, bad = 60, 37
	for name, mode := range modes {
		records, keys := make([]stores.Record, n), make([][]byte, n)
		for i := range n {
			keys[i] = append([]byte(name), key(i)...)
			records[i] = record(keys[i], moment, text("x"))
		}
		records[bad].Event = tooFar
		onlyFails(t, s, mode, records, bad)
		for i, row := range read(t, s, table, []string{"a"}, keys...) {
			if row.Found != (i != bad) {
				t.Errorf("in mode %s record %d is there: %v", name, i, row.Found)
			}
		}
	}
}

// onlyFails writes records, some of which cannot be stored.
func onlyFails(t testing.TB, s stores.Store, mode stores.Mode, records []stores.Record, bad ...int) {
	t.Helper()
	w, err := s.Write(t.Context(), table, stores.NewSelection("a"), records, mode)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	if !slices.Equal(w.Failed.Indexes, bad) || len(w.Failed.Errs) != len(bad) {
		t.Fatalf("records %v failed, want %v: %v", w.Failed.Indexes, bad, w.Failed.Errs)
	}
	for _, err := range w.Failed.Errs {
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("a record that cannot be stored fails by %v: %v", fault.KindOf(err), err)
		}
	}
}

func leavesItsKey(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	for name, mode := range modes {
		k := append([]byte(name), key(1)...)
		onlyFails(t, s, mode, []stores.Record{record(k, moment, text("kept")), record(k, tooFar, text("x"))}, 1)
		want(t, read(t, s, table, []string{"a"}, k)[0], text("kept"))
	}
}

func farTimes(t testing.TB, s stores.Store) {
	prepare(t, s, table)
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, mode := range modes {
		far := stores.Record{Key: key(5), Event: moment, Created: last.Add(time.Second), Values: [][]byte{text("x")}}
		onlyFails(t, s, mode, []stores.Record{
			record(key(1), first, text("x")),
			record(key(2), last.Add(-2*time.Hour), text("x")),
			record(key(3), first.Add(-time.Second), text("x")),
			record(key(4), last.Add(time.Second), text("x")),
			far,
		}, 2, 3, 4)
		onlyFails(t, s, mode, []stores.Record{far}, 0)
	}
	rows := read(t, s, table, []string{"a"}, key(1), key(2), key(3), key(4), key(5))
	for i, at := range []time.Time{first, last.Add(-2 * time.Hour), {}, {}, {}} {
		if rows[i].Found != (i < 2) || !rows[i].Event.Equal(at) {
			t.Errorf("row %d has event time %v, want %v", i, rows[i].Event, at)
		}
	}
}
