package arrowipc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Checkable reports whether Check knows a type of columns.
func Checkable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.NULL, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64,
		arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256,
		arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY,
		arrow.DATE32, arrow.DATE64, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return true
	case arrow.DICTIONARY:
		d, ok := t.(*arrow.DictionaryType)
		return ok && Checkable(d.ValueType)
	case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST, arrow.STRUCT, arrow.MAP:
		n, ok := t.(arrow.NestedType)
		return ok && !slices.ContainsFunc(n.Fields(), func(f arrow.Field) bool { return !Checkable(f.Type) })
	}
	return false
}

var errShort = errors.New("a buffer is too short for its column")

// Check checks what Arrow's library takes for granted: no cell of a checked array
// can panic when it is read.
func Check(a arrow.Array) error {
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
		return Check(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			if err := Check(a.Field(i)); err != nil {
				return err
			}
		}
	case array.ListLike:
		return Check(a.ListValues())
	}
	return nil
}
