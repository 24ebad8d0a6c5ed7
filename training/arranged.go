package training

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// dummyValue is the value of the key that Feast adds to the newest row of a source without
// keys.
const dummyValue = ""

// dummyColumn stands for the dummy key among the indexes of columns.
const dummyColumn = -1

// arrange opens a set of the columns of a reader in an order: indexes of its schema. kinds
// are the value types of the first columns of the reader.
func (s *Set) arrange(in array.RecordReader, order []int, kinds []types.ValueType_Enum) error {
	a := &arranged{RecordReader: in, order: order}
	var fields []arrow.Field
	var names []string
	var ofColumns []types.ValueType_Enum
	for _, at := range order {
		f := arrow.Field{Name: registry.DummyKey, Type: arrow.BinaryTypes.String, Nullable: true}
		kind := types.ValueType_INVALID
		if at != dummyColumn {
			f = in.Schema().Field(at)
		}
		if at >= 0 && at < len(kinds) {
			kind = kinds[at]
		}
		fields, names, ofColumns = append(fields, f), append(names, f.Name), append(ofColumns, kind)
	}
	a.schema = arrow.NewSchema(fields, nil)
	s.close = append(s.close, a.drop)
	return s.open(&converted{in: a, conversions: conversionsOf(a.schema, names, ofColumns)})
}

// arranged is a reader with other columns. It does not own the other reader.
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
		if at == dummyColumn {
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
