package transform

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// SetArrow sets a column to an array of Arrow, of as many rows as the Batch has. Its
// contents are copied.
func (b *Batch) SetArrow(input int, a arrow.Array) error {
	if a.Len() != b.rows {
		return b.p.error(fault.Internal, "was given a column of another number of rows")
	}
	c := &b.cells[input]
	c.dt, c.unit, c.utc = arrowType(a.DataType())
	for row := range b.rows {
		if a.IsNull(row) {
			continue
		}
		if t, ok := a.(*array.Timestamp); ok && (floorDiv(int64(t.Value(row)), second/c.unit) < minTime || floorDiv(int64(t.Value(row)), second/c.unit) > maxTime) {
			return b.farTime(input, row)
		}
		b.setArrowCell(c, a, row)
	}
	return nil
}

// arrowType is the type that pandas gives a column of Arrow; dNone for those that
// become objects.
func arrowType(t arrow.DataType) (dt dtype, unit int64, utc bool) {
	switch t.ID() {
	case arrow.BOOL:
		return dBool, 0, false
	case arrow.INT8:
		return dInt8, 0, false
	case arrow.INT16:
		return dInt16, 0, false
	case arrow.INT32:
		return dInt32, 0, false
	case arrow.INT64:
		return dInt64, 0, false
	case arrow.UINT8:
		return dUint8, 0, false
	case arrow.UINT16:
		return dUint16, 0, false
	case arrow.UINT32:
		return dUint32, 0, false
	case arrow.FLOAT32:
		return dFloat32, 0, false
	case arrow.FLOAT64:
		return dFloat64, 0, false
	case arrow.TIMESTAMP:
		ts := t.(*arrow.TimestampType)
		return dTime, int64(ts.Unit.Multiplier()), ts.TimeZone != ""
	}
	return dNone, 0, false
}

func (b *Batch) setArrowCell(c *cells, a arrow.Array, row int) {
	switch a := a.(type) {
	case *array.Int64:
		c.kinds[row], c.bits[row] = kInt, a.Value(row)
	case *array.Float64:
		c.setFloat(row, a.Value(row))
	case *array.Float32:
		c.setFloat(row, float64(a.Value(row)))
	case *array.Boolean:
		c.kinds[row], c.bits[row] = kBool, boolVal(a.Value(row)).i
	case *array.String:
		setText(b, c, row, a.Value(row))
	case *array.LargeString:
		setText(b, c, row, a.Value(row))
	case *array.Timestamp:
		c.kinds[row], c.bits[row] = kTime, int64(a.Value(row))
	default:
		b.setNarrow(c, a, row)
	}
}

// setNarrow sets a cell of a narrow integer, a list, or a value that a function can
// only test for null.
func (b *Batch) setNarrow(c *cells, a arrow.Array, row int) {
	var x int64
	switch a := a.(type) {
	case *array.Int32:
		x = int64(a.Value(row))
	case *array.Int16:
		x = int64(a.Value(row))
	case *array.Int8:
		x = int64(a.Value(row))
	case *array.Uint8:
		x = int64(a.Value(row))
	case *array.Uint16:
		x = int64(a.Value(row))
	case *array.Uint32:
		x = int64(a.Value(row))
	default:
		c.kinds[row], c.bits[row] = kOpaque, int64(len(b.lists))
		v := val{k: kOpaque, s: a.DataType().String()}
		if l, ok := a.(array.ListLike); ok {
			v = b.arrowList(l, row, v)
		}
		b.lists = append(b.lists, v)
		return
	}
	c.kinds[row], c.bits[row] = kInt, x
}

// arrowList is a list of numbers or texts; otherwise it is other.
func (b *Batch) arrowList(l array.ListLike, row int, other val) val {
	from, to := l.ValueOffsets(row)
	values := l.ListValues()
	items := make([]val, 0, to-from)
	for i := int(from); i < int(to); i++ {
		if values.IsNull(i) {
			items = append(items, val{})
			continue
		}
		switch a := values.(type) {
		case *array.Int64:
			items = append(items, intVal(a.Value(i)))
		case *array.Int32:
			items = append(items, intVal(int64(a.Value(i))))
		case *array.Float64:
			items = append(items, floatVal(a.Value(i)))
		case *array.Float32:
			items = append(items, floatVal(float64(a.Value(i))))
		case *array.Boolean:
			items = append(items, boolVal(a.Value(i)))
		case *array.String:
			items = append(items, textVal(a.Value(i)))
		default:
			return other
		}
	}
	dt, _, _ := arrowType(values.DataType())
	return b.listOf(other.s, dt, items)
}

// Arrow makes an array of Arrow from an output, of the type that OutputType says.
// The error is that of AppendValue.
func (b *Batch) Arrow(output int, mem memory.Allocator) (arrow.Array, error) {
	t := OutputType(b.p.outputs[output].Type)
	out := array.NewBuilder(mem, t)
	defer out.Release()
	out.Reserve(b.rows)
	for row := range b.rows {
		v, err := b.result(output, row)
		if err != nil {
			return nil, err
		}
		if !appendScalar(out, v) {
			return nil, b.p.error(fault.Internal, "made a value that does not fit its column")
		}
	}
	return out.NewArray(), nil
}

// OutputType is the type of Arrow in which outputs of a type are given.
func OutputType(t types.ValueType_Enum) arrow.DataType {
	switch t {
	case types.ValueType_INT32:
		return arrow.PrimitiveTypes.Int32
	case types.ValueType_INT64:
		return arrow.PrimitiveTypes.Int64
	case types.ValueType_FLOAT:
		return arrow.PrimitiveTypes.Float32
	case types.ValueType_DOUBLE:
		return arrow.PrimitiveTypes.Float64
	case types.ValueType_BOOL:
		return arrow.FixedWidthTypes.Boolean
	case types.ValueType_UNIX_TIMESTAMP:
		return arrow.FixedWidthTypes.Timestamp_us
	}
	if of := itemType(t); of != types.ValueType_INVALID {
		return arrow.ListOf(OutputType(of))
	}
	return arrow.BinaryTypes.String
}
