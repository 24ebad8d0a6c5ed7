package value

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// ArrowCells are the cells of an Arrow array.
type ArrowCells struct {
	array arrow.Array
	// encoders of the types that were asked for, usually one.
	encoders map[arrowUse]*ArrowEncoder
	last     arrowUse
	encoder  *ArrowEncoder
}

type arrowUse struct {
	kind types.ValueType_Enum
	use  Use
}

// NewArrowCells makes the cells of an array, which must outlive them.
func NewArrowCells(a arrow.Array) *ArrowCells { return &ArrowCells{array: a} }

// Array is the array of the cells.
func (c *ArrowCells) Array() arrow.Array { return c.array }

// Len is the number of rows.
func (c *ArrowCells) Len() int { return c.array.Len() }

// Append makes the Value of a cell as materialize does.
func (c *ArrowCells) Append(dst []byte, row int, t types.ValueType_Enum, use Use) ([]byte, error) {
	e := c.encoderFor(arrowUse{t, use})
	if use == Exact {
		return e.Append(dst, c.array, row)
	}
	return e.AppendFeature(dst, c.array, row)
}

func (c *ArrowCells) encoderFor(u arrowUse) *ArrowEncoder {
	if c.encoder != nil && c.last == u {
		return c.encoder
	}
	e, ok := c.encoders[u]
	if !ok {
		if c.encoders == nil {
			c.encoders = map[arrowUse]*ArrowEncoder{}
		}
		if u.use == Exact {
			e = NewArrowKeyEncoder(c.array.DataType(), u.kind)
		} else {
			e = NewArrowEncoder(c.array.DataType(), u.kind)
		}
		c.encoders[u] = e
	}
	c.last, c.encoder = u, e
	return e
}

// Time reads a timestamp, a date or the text of a time.
func (c *ArrowCells) Time(row int) (time.Time, bool, error) {
	dt := c.array.DataType()
	if c.array.IsNull(row) || dt.ID() == arrow.NULL {
		return time.Time{}, false, nil
	}
	switch a := c.array.(type) {
	case *array.Timestamp:
		unit := unitOf(dt)
		v, known, err := timestampAt(a, row, unit)
		if err != nil || !known {
			return time.Time{}, false, err
		}
		return arrow.Timestamp(v).ToTime(unit).UTC(), true, nil
	case *array.Date32:
		return a.Value(row).ToTime(), true, nil
	case *array.Date64:
		return a.Value(row).ToTime(), true, nil
	case *array.Dictionary:
		inner := ArrowCells{array: a.Dictionary()}
		return inner.Time(a.GetValueIndex(row))
	}
	if isText(dt) {
		s, err := textAt(c.array, row)
		if err != nil {
			return time.Time{}, false, err
		}
		return textTime(s)
	}
	if arrow.IsInteger(dt.ID()) || arrow.IsFloating(dt.ID()) || arrow.IsDecimal(dt.ID()) {
		return time.Time{}, false, noUnit(c.array.ValueStr(row))
	}
	return time.Time{}, false, fault.New(fault.Invalid, "a column of type %s holds no times", dt)
}

// Text shows a cell.
func (c *ArrowCells) Text(row int) string {
	if c.array.IsNull(row) {
		return "null"
	}
	return oneLine(c.array.ValueStr(row))
}
