package ingest

import (
	"context"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

const (
	// defaultMemory is how many bytes of rows wait in memory by default.
	defaultMemory = 16 << 20
	// encoders is how many goroutines encode rows at most.
	encoders = 4
	// failedRows is how many rows that cannot be encoded a run bears, in the hope
	// that newer rows replace them.
	failedRows = 1000
)

// reading reads a window and keeps the newest row of each key, within bounded
// memory.
type reading struct {
	store    offline.Store
	readers  int // at most so many at once
	view     *registry.View
	layout   *encode.Layout
	take     func(key []byte) bool // chooses the keys to keep
	progress func()                // is called when more rows are read
	vector   *encode.Vector        // nil if the view has none
	pile     *pile
	// computed opens the rows of an on-demand view; nil reads the view's batch source.
	computed func(ctx context.Context, w Window) (array.RecordReader, error)

	rows, nullKeys atomic.Int64

	mu     sync.Mutex
	failed []error // of rows that cannot be encoded
}

// numbered is a record batch with the place of its first row in the source's
// order.
type numbered struct {
	batch arrow.RecordBatch
	first uint64
}

// read reads the window: some goroutines read the source, others encode. Nothing
// waits between them but a few batches. The first error ends all.
func (r *reading) read(ctx context.Context, w Window) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	readers, err := r.open(ctx, w)
	if err != nil {
		return err
	}
	batches := make(chan numbered, 1)
	var open sync.WaitGroup
	for i, reader := range readers {
		open.Add(1)
		group.Go(func() error {
			defer open.Done()
			defer reader.Release()
			return pass(ctx, reader, uint64(i)<<sliceShift, batches)
		})
	}
	group.Go(func() error {
		open.Wait()
		close(batches)
		return nil
	})
	for _, s := range r.pile.sorters {
		group.Go(func() error { return r.encode(batches, s) })
	}
	err = group.Wait()
	for n := range batches { // what the encoders left when they failed
		n.batch.Release()
	}
	return err
}

// workers is the number of goroutines that encode.
func workers() int { return min(runtime.GOMAXPROCS(0), encoders) }

// sliceShift makes the number of a reader the upper part of its rows' places: rows
// of one reader come before those of the next.
const sliceShift = 48

// open opens one reader of the window, or several where the store can divide it.
func (r *reading) open(ctx context.Context, w Window) ([]array.RecordReader, error) {
	if r.computed != nil {
		reader, err := r.computed(ctx, w)
		if err != nil {
			return nil, err
		}
		return []array.RecordReader{reader}, nil
	}
	l := r.layout
	query := offline.Query{
		Source: r.view.Batch, Columns: l.Columns(), Types: l.Types(), Timestamp: l.Timestamp(), Created: l.Created(), Start: w.Start, End: w.End,
	}
	if s, ok := r.store.(offline.Slicer); ok && r.readers > 1 {
		return s.Slices(ctx, query, r.readers)
	}
	reader, err := r.store.Range(ctx, query)
	if err != nil {
		return nil, err
	}
	return []array.RecordReader{reader}, nil
}

// pass passes the batches of a reader on. Its first row has the given place.
func pass(ctx context.Context, reader array.RecordReader, place uint64, batches chan<- numbered) error {
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		rows := uint64(batch.NumRows())
		select {
		case batches <- numbered{batch, place}:
			place += rows
		case <-ctx.Done():
			batch.Release()
			return fault.Of(ctx.Err())
		}
	}
	if err := reader.Err(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fault.Of(ctx.Err())
	}
	return nil
}

// encode encodes batches into a sorter.
func (r *reading) encode(batches <-chan numbered, s *sorter) error {
	e := &encoder{reading: r, sorter: s}
	for n := range batches {
		err := e.batch(n)
		rows := n.batch.NumRows()
		n.batch.Release()
		if err != nil {
			return err
		}
		r.rows.Add(rows)
		r.progress()
	}
	return nil
}

// encoder has the memory to encode one row after the other.
type encoder struct {
	reading *reading
	sorter  *sorter
	values  []byte
	ends    []int
}

func (e *encoder) batch(n numbered) error {
	b, err := e.reading.layout.Open(n.batch)
	if err != nil {
		return err
	}
	if v := e.reading.vector; v != nil && b.Rows() > 0 {
		if err := v.Column(b.Type(v.At)); err != nil {
			return err
		}
	}
	for row := range b.Rows() {
		if err := e.row(b, row, n.first+uint64(row)); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) row(b *encode.Batch, row int, place uint64) error {
	event, created, ok := b.Times(row)
	if !ok {
		return nil
	}
	key, ok, err := b.Key(row)
	if err != nil {
		return err
	}
	if !ok {
		e.reading.nullKeys.Add(1)
		return nil
	}
	if !e.reading.take(key) {
		return nil
	}
	failed := uint32(0)
	values, ends, err := b.AppendValues(e.values[:0], e.ends[:0], row)
	if err != nil {
		ends = nil
		if failed, err = e.reading.fail(err); err != nil {
			return err
		}
	} else {
		e.values, e.ends = values, ends
	}
	slab := appendHead(e.sorter.begin(), key, momentOf(event), momentOf(created), place, failed)
	start := 0
	for _, end := range ends {
		slab = append(binary.AppendUvarint(slab, uint64(end-start)), values[start:end]...)
		start = end
	}
	return e.sorter.end(slab)
}

// fail notes why a row cannot be encoded, and returns the number of the note.
func (r *reading) fail(err error) (uint32, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) == failedRows {
		return 0, r.failed[0]
	}
	r.failed = append(r.failed, err)
	return uint32(len(r.failed)), nil
}

// count counts the keys. A row that cannot be encoded is an error if it is the
// newest of its key, and so is one whose vector has another length than others. each,
// if not nil, is called with every row to write.
func (r *reading) count(ctx context.Context, each func(packed)) (int, error) {
	rows, err := r.pile.rows()
	if err != nil {
		return 0, err
	}
	lengths := vectorLengths{vector: r.vector}
	for n := 0; ; n++ {
		row, err := rows.row()
		switch {
		case err != nil:
			return 0, err
		case row == nil:
			return n, lengths.check(r)
		case row.failed() > 0:
			return 0, r.failed[row.failed()-1]
		case n%1024 == 0 && ctx.Err() != nil:
			return 0, fault.Of(ctx.Err())
		}
		lengths.add(row)
		if each != nil {
			each(row)
		}
	}
}
