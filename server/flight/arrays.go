package flight

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// uploadable refuses types of columns that no data frame has and that checkArray cannot
// check.
func uploadable(column string, t arrow.DataType) error {
	switch t.ID() {
	case arrow.NULL, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64,
		arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256,
		arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY,
		arrow.DATE32, arrow.DATE64, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return nil
	case arrow.DICTIONARY:
		if d, ok := t.(*arrow.DictionaryType); ok {
			return uploadable(column, d.ValueType)
		}
	case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST, arrow.STRUCT, arrow.MAP:
		if n, ok := t.(arrow.NestedType); ok {
			for _, f := range n.Fields() {
				if err := uploadable(column, f.Type); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return fault.New(fault.Invalid, "column %s of the uploaded table has the Arrow type %s, which is not supported; convert it to numbers, text, times or lists of them", column, t)
}

var errShort = errors.New("a buffer is too short for its column")

// checkArray checks what Arrow's library takes for granted: no cell of a checked array
// can panic when it is read.
func checkArray(a arrow.Array) error {
	d := a.Data()
	end := int64(d.Offset()) + int64(d.Len())
	buffers := d.Buffers()
	if a.DataType().ID() != arrow.NULL && len(buffers) > 0 && buffers[0] != nil && int64(buffers[0].Len())*8 < end {
		return errShort
	}
	if fixed, ok := a.DataType().(arrow.FixedWidthDataType); ok && len(buffers) > 1 && d.Len() > 0 {
		bits := int64(fixed.BitWidth())
		if bits < 0 || buffers[1] == nil && bits > 0 {
			return errShort
		}
		if bits > 0 && int64(buffers[1].Len())*8/bits < end {
			return errShort
		}
	}
	if v, ok := a.(interface{ ValidateFull() error }); ok {
		if err := v.ValidateFull(); err != nil {
			return err
		}
	}
	return checkChildren(a)
}

func checkChildren(a arrow.Array) error {
	switch a := a.(type) {
	case *array.Dictionary:
		n := a.Dictionary().Len()
		for i := range a.Len() {
			if a.IsNull(i) {
				continue
			}
			if at := a.GetValueIndex(i); at < 0 || at >= n {
				return fmt.Errorf("row %d has index %d of a dictionary of %d", i, at, n)
			}
		}
		return checkArray(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			if err := checkArray(a.Field(i)); err != nil {
				return err
			}
		}
	case array.ListLike:
		return checkArray(a.ListValues())
	}
	return nil
}
