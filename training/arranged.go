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
// are the value types of the first columns of the reader. The set owns the reader.
func (s *Set) arrange(in array.RecordReader, order []int, kinds []types.ValueType_Enum) error {
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
	r := newProjection(in, order, fields)
	s.close = append(s.close, r.Release)
	return s.open(&converted{in: r, conversions: conversionsOf(r.schema, names, ofColumns)})
}

func dummies(n int) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for range n {
		b.Append(dummyValue)
	}
	return b.NewArray()
}
