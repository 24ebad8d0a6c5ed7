package ingest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
)

// divided is a source of several readers.
type divided struct {
	*source
	mu   sync.Mutex
	most []int // readers that were asked for
	// reader changes a reader of a query; ctx ends with the query.
	reader func(ctx context.Context, i int, r array.RecordReader) array.RecordReader
}

// Slices gives each of n readers as many rows.
func (d *divided) Slices(ctx context.Context, q offline.Query, n int) ([]array.RecordReader, error) {
	d.mu.Lock()
	d.most = append(d.most, n)
	d.mu.Unlock()
	rows := d.choose(q)
	readers := make([]array.RecordReader, n)
	for i := range readers {
		r, err := batchOf(q, rows[i*len(rows)/n:(i+1)*len(rows)/n])
		if err != nil {
			return nil, err
		}
		if readers[i] = r; d.reader != nil {
			readers[i] = d.reader(ctx, i, r)
		}
	}
	return readers, nil
}

// late waits before its first batch.
type late struct {
	array.RecordReader
	wait func()
}

func (l *late) Next() bool { l.wait(); return l.RecordReader.Next() }

// ended calls a function at the end.
type ended struct {
	array.RecordReader
	end func()
}

func (e *ended) Next() bool {
	if e.RecordReader.Next() {
		return true
	}
	e.end()
	return false
}

func dividedShop(t *testing.T, rows ...row) (*shop, *divided) {
	t.Helper()
	s := newShop(t, true, "carts")
	s.source.add(rows...)
	d := &divided{source: s.source}
	s.opt.Offline, s.opt.Readers = d, 3
	return s, d
}

func load(t *testing.T, s *shop) (ingest.Result, error) {
	t.Helper()
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.Add(-24 * time.Hour), End: noon})
	if err != nil {
		return ingest.Result{}, err
	}
	return results[0], nil
}

// Of rows that are equal in their times the first one in the source's order is
// kept, whichever reader has it and whichever is read first; progress counts the
// rows of all readers.
func TestRowsOfSeveralReadersAreThoseOfOne(t *testing.T) {
	at := noon.Add(-time.Hour)
	var rows []row
	for i := range 300 { // shopper 0 to 99, three times each, once in each reader
		rows = append(rows, row{shopper: i % 100, items: int64(i), at: at, made: at})
	}
	rows[250].at, rows[250].made = at.Add(time.Minute), at // a newer row in the last reader
	for _, first := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		s, d := dividedShop(t, rows...)
		var done [3]chan struct{}
		for i := range done {
			done[i] = make(chan struct{})
		}
		d.reader = func(_ context.Context, i int, r array.RecordReader) array.RecordReader {
			end := &ended{r, sync.OnceFunc(func() { close(done[i]) })}
			if at := slices.Index(first, i); at > 0 {
				return &late{end, func() { <-done[first[at-1]] }}
			}
			return end
		}
		var seen int64
		s.opt.Observer.Reading = func(_ ingest.Window, n int64) {
			if n < seen {
				t.Errorf("order %v: %d rows are read, after %d", first, n, seen)
			}
			seen = n
		}
		result, err := load(t, s)
		if err != nil || result.Read != 300 || result.Keys != 100 || result.Written != 100 || seen != 300 {
			t.Errorf("order %v: %+v, %v, seen %d", first, result, err, seen)
		}
		shoppers, want := make([]int, 100), map[int]int64{}
		for i := range shoppers {
			shoppers[i], want[i] = i, int64(i)
		}
		want[50] = 250
		if diff := cmp.Diff(want, s.stored(t, shoppers...)); diff != "" {
			t.Errorf("order %v: stored (-want +got)\n%s", first, diff)
		}
	}
}

// broke fails.
type broke struct {
	array.RecordReader
	err error
}

func (*broke) Next() bool   { return false }
func (b *broke) Err() error { return b.err }

// counted counts its Releases.
type counted struct {
	array.RecordReader
	released func()
}

func (c *counted) Release() { c.released(); c.RecordReader.Release() }

// A reader that fails ends the others, even those that wait for their source, and
// nothing is written.
func TestAFailedReaderEndsTheOthers(t *testing.T) {
	s, d := dividedShop(t, some(30, noon.Add(-time.Hour))...)
	lost := fault.New(fault.Unavailable, "the source is lost")
	var mu sync.Mutex
	released := 0
	d.reader = func(ctx context.Context, i int, r array.RecordReader) array.RecordReader {
		r = &counted{r, func() { mu.Lock(); defer mu.Unlock(); released++ }}
		if i == 1 {
			return &broke{r, lost}
		}
		return &late{r, func() { <-ctx.Done() }}
	}
	_, err := load(t, s)
	if !errors.Is(err, lost) && (err == nil || fault.KindOf(err) != fault.Unavailable) {
		t.Errorf("%v", err)
	}
	if released != 3 {
		t.Errorf("%d readers were released, want 3", released)
	}
	if stored := s.stored(t, 1, 2, 3); len(stored) > 0 || len(s.intervals(t, "carts")) > 0 {
		t.Errorf("stored %v, recorded %v", stored, s.intervals(t, "carts"))
	}
}

// Views that are materialized at once share the readers.
func TestViewsShareReaders(t *testing.T) {
	s, d := dividedShop(t, some(30, noon.Add(-time.Hour))...)
	s.opt.Readers, s.opt.Parallel = 0, 100
	if _, err := load(t, s); err != nil {
		t.Fatal(err)
	}
	if len(d.most) > 0 {
		t.Errorf("Slices was asked for %v readers, although 100 views may run", d.most)
	}
	s.opt.Readers = 2
	if _, err := load(t, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2}, d.most); diff != "" {
		t.Errorf("readers (-want +got)\n%s", diff)
	}
}
