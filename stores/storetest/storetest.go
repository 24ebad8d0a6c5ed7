// Package storetest checks every online store, and every decorator around one,
// against the contract of package stores, sentence by sentence.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

// Sentence is one sentence of the contract with its check.
type Sentence struct {
	Name  string
	Check func(testing.TB, stores.Store)
}

// Exception names a sentence that a backend does not fulfill, and why.
type Exception struct {
	Sentence, Reason string
}

// Sentences returns the contract.
func Sentences() []Sentence {
	return []Sentence{
		{"every key gets its row in order, repeats included", order},
		{"an absent key is a row that is not Found, never an error", absentKey},
		{"an absent feature is a nil value", absentFeature},
		{"a stored null is empty, not nil", storedNull},
		{"features that were not requested are not returned", unrequested},
		{"features come in the order of the selection", selectionOrder},
		{"keys are opaque bytes", opaqueKeys},
		{"values are opaque bytes", opaqueValues},
		{"any number of keys is allowed", manyKeys},
		{"the same table may occur twice", sameTableTwice},
		{"one call reads many tables", manyTables},
		{"rows are the caller's until Release", untilRelease},
		{"a done context ends a read", doneRead},
		{"a done context ends a write", doneWrite},
		{"rows keep their event time", eventTime},
		{"in mode Replace the last write wins", replace},
		{"in mode Newer an older event never replaces a newer one", newer},
		{"in mode Newer an event newer by less than a second wins", newerBySubsecond},
		{"in mode Newer the later write wins at equal event times", newerTie},
		{"a record that a newer row keeps out is listed as older, no other is", older},
		{"in mode Newer the older records of a key within one write are listed", olderInWrite},
		{"a record that the store cannot hold fails alone", failsAlone},
		{"a record that the store cannot hold does not affect others of its key", leavesItsKey},
		{"times outside of the years 1 to 9999 are refused, not cut", farTimes},
		{"a record replaces the whole row", wholeRow},
		{"writing the same record twice changes nothing", twice},
		{"records of one write are stored in the order given", repeatsInWrite},
		{"two tables never share rows", separateTables},
		{"a deleted row is gone and deleting it again is not an error", deleted},
		{"Plan lists what Do would do, and nothing once it is done", planned},
		{"a change that is made already may be made again", updateAgain},
		{"a dropped table loses its rows", dropped},
		{"responses over the byte budget are refused as a whole", withinBudget},
		{"a store is safe for concurrent use", concurrent},
	}
}

// Run checks every sentence, each against a fresh store.
func Run(t *testing.T, open func(testing.TB) stores.Store, exceptions ...Exception) {
	t.Helper()
	excepted := map[string]string{}
	for _, e := range exceptions {
		excepted[e.Sentence] = e.Reason
	}
	for _, s := range Sentences() {
		if reason, ok := excepted[s.Name]; ok {
			t.Logf("exception: %q: %s", s.Name, reason)
			delete(excepted, s.Name)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			store := open(t)
			t.Cleanup(func() {
				if err := store.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			s.Check(t, store)
		})
	}
	for name := range excepted {
		t.Errorf("the contract has no sentence %q", name)
	}
}

var (
	table  = stores.Table{Project: "credit", View: "zipcode_features"}
	other  = stores.Table{Project: "credit", View: "history"}
	moment = time.Date(2024, 6, 12, 6, 11, 6, 0, time.UTC)
)

// prepare creates the tables that a check writes to.
func prepare(t testing.TB, s stores.Store, tables ...stores.Table) {
	t.Helper()
	specs := make([]stores.TableSpec, len(tables))
	for i, tb := range tables {
		specs[i] = stores.TableSpec{Table: tb, Features: []stores.Feature{{Name: "a", Type: "STRING"}, {Name: "b", Type: "INT64"}, {Name: "c", Type: "DOUBLE"}}}
	}
	update(t, s, stores.Tables{Keep: specs})
}

func update(t testing.TB, s stores.Store, tables stores.Tables) {
	t.Helper()
	if _, err := Update(t.Context(), s, tables); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func key(i int) []byte { return fmt.Appendf(nil, "\x01\x00\x00\x00key-%06d", i) }

// text is a serialized STRING Value; SQL layouts parse those.
func text(s string) []byte { return append([]byte{2<<3 | 2, byte(len(s))}, s...) }

func record(k []byte, at time.Time, values ...[]byte) stores.Record {
	return stores.Record{Key: k, Event: at, Created: at.Add(time.Hour), Values: values}
}

// write writes records that every store can hold, and returns those that are
// older.
func write(t testing.TB, s stores.Store, tb stores.Table, features []string, mode stores.Mode, records ...stores.Record) (older []int) {
	t.Helper()
	w, err := s.Write(t.Context(), tb, stores.NewSelection(features...), records, mode)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	if len(w.Failed.Indexes) > 0 {
		t.Fatalf("Write left records %v: %v", w.Failed.Indexes, w.Failed.Errs)
	}
	return w.Older
}

func read(t testing.TB, s stores.Store, tb stores.Table, features []string, keys ...[]byte) []stores.Row {
	t.Helper()
	return readAll(t, s, stores.Read{Table: tb, Features: stores.NewSelection(features...), Keys: keys, Consistent: true})[0]
}

// readAll reads rows and copies them, so that they are valid after Release.
func readAll(t testing.TB, s stores.Store, reads ...stores.Read) [][]stores.Row {
	t.Helper()
	rows, err := s.Read(t.Context(), reads)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(rows.Reads) != len(reads) {
		t.Fatalf("%d reads gave results for %d", len(reads), len(rows.Reads))
	}
	out := make([][]stores.Row, len(reads))
	for i, r := range rows.Reads {
		if len(r) != len(reads[i].Keys) {
			t.Fatalf("%d keys gave %d rows", len(reads[i].Keys), len(r))
		}
		for _, row := range r {
			if row.Err != nil {
				t.Fatalf("a row could not be read: %v", row.Err)
			}
			c := row
			c.Values = nil
			for _, v := range row.Values {
				if v == nil {
					c.Values = append(c.Values, nil)
					continue
				}
				c.Values = append(c.Values, append([]byte{}, v...))
			}
			out[i] = append(out[i], c)
		}
	}
	rows.Release()
	return out
}

// want checks the values of a found row.
func want(t testing.TB, row stores.Row, values ...[]byte) {
	t.Helper()
	if !row.Found {
		t.Fatalf("a row is not found, want %q", values)
	}
	if len(row.Values) != len(values) {
		t.Fatalf("%d values, want %d", len(row.Values), len(values))
	}
	for i := range values {
		if (row.Values[i] == nil) != (values[i] == nil) || string(row.Values[i]) != string(values[i]) {
			t.Errorf("value %d is %q (nil: %v), want %q (nil: %v)", i, row.Values[i], row.Values[i] == nil, values[i], values[i] == nil)
		}
	}
}

func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
