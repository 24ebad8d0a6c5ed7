package offline

import (
	"iter"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// reader streams record batches. Unlike the one of arrow-go it can be released
// at any time, keeps its error when Next is called again, and is done when it is
// at its end: it holds nothing then.
type reader struct {
	schema *arrow.Schema
	next   func() (arrow.RecordBatch, error, bool)
	stop   func()
	free   func()
	batch  arrow.RecordBatch
	err    error
	holds  atomic.Int64
}

var _ array.RecordReader = (*reader)(nil)

// NewReader makes a reader of the batches, and takes each over from the sequence,
// which ends at its first error. The sequence runs while Next does, and is
// stopped by the last Release. If it was never begun it is not run at all, so
// free, which may be nil, is called in any case: once, after the sequence.
func NewReader(schema *arrow.Schema, batches iter.Seq2[arrow.RecordBatch, error], free func()) array.RecordReader {
	r := &reader{schema: schema, free: free}
	r.next, r.stop = iter.Pull2(batches)
	r.holds.Store(1)
	return r
}

// Retain adds a reference.
func (r *reader) Retain() { r.holds.Add(1) }

// Release drops a reference; dropping the last one ends the reading.
func (r *reader) Release() {
	if r.holds.Add(-1) == 0 {
		r.end()
	}
}

func (r *reader) end() {
	r.drop()
	r.stop()
	if r.free != nil {
		r.free()
		r.free = nil
	}
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// Schema is the schema of all batches.
func (r *reader) Schema() *arrow.Schema { return r.schema }

// Next reads the next batch; the previous one is no longer valid.
func (r *reader) Next() bool {
	r.drop()
	if r.err != nil {
		return false
	}
	batch, err, ok := r.next()
	if !ok || err != nil {
		r.err = err
		r.end()
		return false
	}
	r.batch = batch
	return true
}

// RecordBatch is the batch of the last Next.
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record is the old name of RecordBatch, which the interface still requires.
func (r *reader) Record() arrow.RecordBatch { return r.batch }

// Err tells why the stream ended.
func (r *reader) Err() error { return r.err }
