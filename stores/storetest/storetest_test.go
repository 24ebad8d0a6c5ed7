package storetest_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// broken is a store that keeps the contract except for the replaced parts.
type broken struct {
	stores.Store
	read  func(rows *stores.Rows, reads []stores.Read)
	write func(features *stores.Selection, records []stores.Record, mode *stores.Mode) []stores.Record
	table func(stores.Table) stores.Table
	// written changes the outcome of a write of n records.
	written func(w *stores.Written, n int)
	// ctx replaces the caller's context.
	ctx func(context.Context) context.Context
}

func (b *broken) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	if b.ctx != nil {
		ctx = b.ctx(ctx)
	}
	if b.table != nil {
		reads = slices.Clone(reads)
		for i := range reads {
			reads[i].Table = b.table(reads[i].Table)
		}
	}
	rows, err := b.Store.Read(ctx, reads)
	if err == nil && b.read != nil {
		b.read(rows, reads)
	}
	return rows, err
}

func (b *broken) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if b.table != nil {
		table = b.table(table)
	}
	if b.write != nil {
		records = b.write(features, records, &mode)
	}
	w, err := b.Store.Write(ctx, table, features, records, mode)
	if err == nil && b.written != nil {
		b.written(&w, len(records))
	}
	return w, err
}

// eachRow changes the rows of a result.
func eachRow(change func(row *stores.Row, read stores.Read, at int)) func(*stores.Rows, []stores.Read) {
	return func(rows *stores.Rows, reads []stores.Read) {
		for i := range reads {
			for j := range rows.Reads[i] {
				change(&rows.Reads[i][j], reads[i], j)
			}
		}
	}
}

// found is eachRow for rows that exist.
func found(change func(row *stores.Row, read stores.Read)) func(*stores.Rows, []stores.Read) {
	return eachRow(func(row *stores.Row, read stores.Read, _ int) {
		if row.Found {
			change(row, read)
		}
	})
}

// verdict is a testing.TB that records whether a check fails.
type verdict struct {
	testing.TB
	mu     sync.Mutex
	failed bool
}

func (v *verdict) fail() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

func (v *verdict) Helper()               {}
func (v *verdict) Error(...any)          { v.fail() }
func (v *verdict) Errorf(string, ...any) { v.fail() }
func (v *verdict) Fatal(...any)          { v.fail(); runtime.Goexit() }
func (v *verdict) Fatalf(string, ...any) { v.fail(); runtime.Goexit() }
func (v *verdict) Failed() bool          { v.mu.Lock(); defer v.mu.Unlock(); return v.failed }

// failing lists the sentences that a store does not fulfill.
func failing(t *testing.T, open func() stores.Store) (names []string) {
	for _, s := range storetest.Sentences() {
		v := &verdict{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Check(v, open())
		}()
		<-done
		if v.failed {
			names = append(names, s.Name)
		}
	}
	return names
}

// Each store breaks the contract in one way; the suite must find it in the named
// sentences, and in no others.
func TestBrokenStoresFailInWhatTheyBreak(t *testing.T) {
	var last [][]byte // values of the previous read
	for name, c := range map[string]struct {
		broken broken
		in     []string
	}{
		"nothing is broken": {},
		"a repeated key is read once": {broken{read: eachRow(func(row *stores.Row, read stores.Read, at int) {
			for _, k := range read.Keys[:at] {
				if string(k) == string(read.Keys[at]) {
					*row = stores.Row{}
				}
			}
		})}, []string{"every key gets its row in order, repeats included"}},
		"an absent key is a found row without values": {broken{read: eachRow(func(row *stores.Row, read stores.Read, _ int) {
			if !row.Found {
				row.Found, row.Values = true, make([][]byte, len(read.Features.Features))
			}
		})}, []string{
			"every key gets its row in order, repeats included", "an absent key is a row that is not Found, never an error", "one call reads many tables",
			"a record that the store cannot hold fails alone", "times outside of the years 1 to 9999 are refused, not cut",
			"a deleted row is gone and deleting it again is not an error", "a dropped table loses its rows",
		}},
		"an absent feature is a null": {broken{read: found(func(row *stores.Row, _ stores.Read) {
			for i := range row.Values {
				if row.Values[i] == nil {
					row.Values[i] = []byte{}
				}
			}
		})}, []string{"an absent feature is a nil value", "a record replaces the whole row", "writing the same record twice changes nothing"}},
		"a null is an absent feature": {broken{read: found(func(row *stores.Row, _ stores.Read) {
			for i := range row.Values {
				if len(row.Values[i]) == 0 {
					row.Values[i] = nil
				}
			}
		})}, []string{"a stored null is empty, not nil", "writing the same record twice changes nothing"}},
		"features come sorted by name": {broken{read: found(func(row *stores.Row, read stores.Read) {
			order := make([]int, len(row.Values))
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int { return strings.Compare(read.Features.Features[a], read.Features.Features[b]) })
			sorted := make([][]byte, len(order))
			for i, at := range order {
				sorted[i] = row.Values[at]
			}
			row.Values = sorted
		})}, []string{"features come in the order of the selection", "one call reads many tables"}},
		"no more than a hundred keys are read": {broken{read: eachRow(func(row *stores.Row, _ stores.Read, at int) {
			if at >= 100 {
				*row = stores.Row{}
			}
		})}, []string{"any number of keys is allowed"}},
		"only the first table is read": {broken{read: func(rows *stores.Rows, reads []stores.Read) {
			for i := 1; i < len(reads); i++ {
				clear(rows.Reads[i])
			}
		}}, []string{"the same table may occur twice", "one call reads many tables"}},
		"a canceled read goes on": {broken{ctx: context.WithoutCancel}, []string{"a done context ends a read"}},
		"event times lose their day": {broken{read: found(func(row *stores.Row, _ stores.Read) { row.Event = row.Event.Truncate(24 * time.Hour) })}, []string{
			"rows keep their event time", "in mode Newer an older event never replaces a newer one",
			"times outside of the years 1 to 9999 are refused, not cut",
		}},
		"memory is reused by the next read": {broken{read: func(rows *stores.Rows, reads []stores.Read) {
			if len(reads[0].Features.Features) != 2 {
				return
			}
			for _, v := range last {
				clear(v)
			}
			last = nil
			for _, row := range rows.Reads[0] {
				last = append(last, row.Values...)
			}
		}}, []string{"rows are the caller's until Release"}},
		"an older event wins in mode Newer": {
			broken{write: func(_ *stores.Selection, r []stores.Record, mode *stores.Mode) []stores.Record {
				*mode = stores.Replace
				return r
			}},
			[]string{
				"in mode Newer an older event never replaces a newer one", "in mode Newer an event newer by less than a second wins",
				"a record that a newer row keeps out is listed as older, no other is", "in mode Newer the older records of a key within one write are listed",
				"records of one write are stored in the order given",
			},
		},
		"an older event loses in mode Replace": {
			broken{write: func(_ *stores.Selection, r []stores.Record, mode *stores.Mode) []stores.Record {
				*mode = stores.Newer
				return r
			}},
			[]string{
				"in mode Replace the last write wins",
				"a record that a newer row keeps out is listed as older, no other is", "in mode Newer the older records of a key within one write are listed",
				"records of one write are stored in the order given",
			},
		},
		"records are written in reverse order": {broken{write: func(_ *stores.Selection, r []stores.Record, _ *stores.Mode) []stores.Record {
			r = slices.Clone(r)
			slices.Reverse(r)
			return r
		}, written: func(w *stores.Written, n int) { // in terms of the caller's indexes
			slices.Reverse(w.Older)
			slices.Reverse(w.Failed.Indexes)
			for _, indexes := range [][]int{w.Older, w.Failed.Indexes} {
				for i, at := range indexes {
					indexes[i] = n - 1 - at
				}
			}
		}}, []string{"in mode Newer the older records of a key within one write are listed", "records of one write are stored in the order given"}},
		"an older record counts as stored": {broken{written: func(w *stores.Written, _ int) { w.Older = nil }}, []string{"a record that a newer row keeps out is listed as older, no other is", "in mode Newer the older records of a key within one write are listed"}},
		"an older record counts as failed": {broken{written: func(w *stores.Written, _ int) {
			for _, i := range w.Older {
				w.Failed.Add(i, fault.New(fault.Conflict, "older"))
			}
			w.Older = nil
		}}, []string{
			"in mode Newer an older event never replaces a newer one", "in mode Newer an event newer by less than a second wins",
			"a record that a newer row keeps out is listed as older, no other is", "in mode Newer the older records of a key within one write are listed", "records of one write are stored in the order given",
		}},
		"a bad record makes its neighbors fail": {broken{written: func(w *stores.Written, n int) {
			if failed := w.Failed.Indexes; len(failed) > 0 && failed[0] > 0 {
				w.Failed = stores.Unwritten{Indexes: append([]int{failed[0] - 1}, failed...), Errs: append([]error{w.Failed.Errs[0]}, w.Failed.Errs...)}
			}
		}}, []string{"a record that the store cannot hold fails alone", "a record that the store cannot hold does not affect others of its key", "times outside of the years 1 to 9999 are refused, not cut"}},
		"a bad record is dropped silently": {broken{written: func(w *stores.Written, _ int) { w.Failed = stores.Unwritten{} }}, []string{"a record that the store cannot hold fails alone", "a record that the store cannot hold does not affect others of its key", "times outside of the years 1 to 9999 are refused, not cut"}},
		"a time out of range is cut": {
			broken{write: func(_ *stores.Selection, records []stores.Record, _ *stores.Mode) []stores.Record {
				records = slices.Clone(records)
				for i := range records {
					for _, at := range []*time.Time{&records[i].Event, &records[i].Created} {
						if at.Year() > 9999 {
							*at = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
						}
					}
				}
				return records
			}},
			[]string{"a record that the store cannot hold fails alone", "a record that the store cannot hold does not affect others of its key", "times outside of the years 1 to 9999 are refused, not cut"},
		},
		"tables of two projects are the same": {
			broken{table: func(tb stores.Table) stores.Table { tb.Project = "one"; return tb }},
			[]string{"two tables never share rows", "a deleted row is gone and deleting it again is not an error", "a dropped table loses its rows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, func() stores.Store {
				b := c.broken
				b.Store = new(memory.Store)
				return &b
			})
			if diff := cmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
	}
}
