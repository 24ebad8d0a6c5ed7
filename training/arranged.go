package training

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The column that Feast adds to the newest row of a source without keys.
const (
	dummyKey   = "__dummy_id"
	dummyValue = ""
)

// arrange orders the columns of a reader by their indexes; -1 is Feast's dummy key. It
// owns the reader.
func arrange(r array.RecordReader, order []int) array.RecordReader {
	out := &arranged{RecordReader: r, order: order}
	fields := make([]arrow.Field, len(order))
	same := len(order) == r.Schema().NumFields()
	for i, at := range order {
		if same = same && i == at; at < 0 {
			fields[i] = arrow.Field{Name: dummyKey, Type: arrow.BinaryTypes.String, Nullable: true}
			continue
		}
		fields[i] = r.Schema().Field(at)
	}
	if same {
		return r
	}
	out.schema = arrow.NewSchema(fields, nil)
	return out
}

// arranged is a reader with other columns.
type arranged struct {
	array.RecordReader
	schema  *arrow.Schema
	order   []int
	current arrow.RecordBatch
}

// Schema is the schema of the arranged columns.
func (a *arranged) Schema() *arrow.Schema { return a.schema }

// Next reads the next batch.
func (a *arranged) Next() bool {
	a.drop()
	if !a.RecordReader.Next() {
		return false
	}
	in := a.RecordReader.RecordBatch()
	columns := make([]arrow.Array, len(a.order))
	for i, at := range a.order {
		if at < 0 {
			dummy := dummies(int(in.NumRows()))
			defer dummy.Release()
			columns[i] = dummy
			continue
		}
		columns[i] = in.Column(at)
	}
	a.current = array.NewRecordBatch(a.schema, columns, in.NumRows())
	return true
}

func dummies(n int) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for range n {
		b.Append(dummyValue)
	}
	return b.NewArray()
}

func (a *arranged) drop() {
	if a.current != nil {
		a.current.Release()
		a.current = nil
	}
}

// RecordBatch is the current batch; it is valid until the next call of Next.
func (a *arranged) RecordBatch() arrow.RecordBatch { return a.current }

// Record is RecordBatch.
func (a *arranged) Record() arrow.RecordBatch { return a.current }

// Release releases the reader.
func (a *arranged) Release() {
	a.drop()
	a.RecordReader.Release()
}
