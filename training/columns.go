package training

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// moment is the type of times in a training set: Feast's.
var moment = &arrow.TimestampType{Unit: arrow.Microsecond}

// conversion makes a column of a training set out of a column of entity rows or of a
// source.
type conversion struct {
	// name is the column's name in the set.
	name string
	to   arrow.DataType
	// convert makes the array; nil keeps it. It leaves the array to its caller. The
	// error of a cell is a cellError.
	convert func(arrow.Array) (arrow.Array, error)
	// lost counts the times that lost digits below a microsecond.
	lost int64
}

// cellError is the reason for which a cell cannot be converted.
type cellError struct {
	row int
	why string
}

func (e *cellError) Error() string { return fmt.Sprintf("row %d: %s", e.row, e.why) }

// newConversion makes the conversion of a column. kind is the value type of a feature.
func newConversion(name string, from arrow.DataType, kind types.ValueType_Enum) *conversion {
	c := &conversion{name: name}
	c.to, c.convert = c.of(from, kind)
	return c
}

type convertFunc = func(arrow.Array) (arrow.Array, error)

func (c *conversion) of(from arrow.DataType, kind types.ValueType_Enum) (arrow.DataType, convertFunc) {
	switch t := from.(type) {
	case *arrow.TimestampType:
		return moment, c.timestamps(t)
	case *arrow.Date32Type, *arrow.Date64Type:
		return moment, dates
	case *value.DecimalText:
		if kind == types.ValueType_STRING {
			return t.StorageType(), storage
		}
		return arrow.PrimitiveTypes.Float64, floats
	case arrow.NestedType:
		return c.nested(from)
	}
	return from, nil
}

// nested converts the children of lists, structs and maps.
func (c *conversion) nested(from arrow.DataType) (arrow.DataType, convertFunc) {
	switch t := from.(type) {
	case *arrow.ListType:
		elem, convert := c.field(t.ElemField())
		return same(from, arrow.ListOfField(elem), convert)
	case *arrow.LargeListType:
		elem, convert := c.field(t.ElemField())
		return same(from, arrow.LargeListOfField(elem), convert)
	case *arrow.FixedSizeListType:
		elem, convert := c.field(t.ElemField())
		return same(from, arrow.FixedSizeListOfField(t.Len(), elem), convert)
	case *arrow.MapType:
		entries, convert := c.of(t.Elem(), types.ValueType_INVALID)
		s, ok := entries.(*arrow.StructType)
		if !ok || convert == nil {
			return from, nil
		}
		return same(from, arrow.MapOfFields(s.Field(0), s.Field(1)), convert)
	case *arrow.StructType:
		fields, converts, changed := t.Fields(), make([]convertFunc, t.NumFields()), false
		for i, f := range fields {
			fields[i], converts[i] = c.field(f)
			changed = changed || converts[i] != nil
		}
		if changed {
			to := arrow.StructOf(fields...)
			return to, children(to, converts)
		}
	}
	return from, nil
}

func (c *conversion) field(f arrow.Field) (arrow.Field, convertFunc) {
	var convert convertFunc
	f.Type, convert = c.of(f.Type, types.ValueType_INVALID)
	return f, convert
}

// same keeps a type whose one child is not converted.
func same(from, to arrow.DataType, convert convertFunc) (arrow.DataType, convertFunc) {
	if convert == nil {
		return from, nil
	}
	return to, children(to, []convertFunc{convert})
}

// children converts the children of a column and keeps its offsets.
func children(to arrow.DataType, converts []convertFunc) convertFunc {
	return func(a arrow.Array) (arrow.Array, error) {
		d := a.Data()
		parts := make([]arrow.ArrayData, len(converts))
		for i, convert := range converts {
			child := array.MakeFromData(d.Children()[i])
			defer child.Release()
			parts[i] = child.Data()
			if convert == nil {
				continue
			}
			converted, err := convert(child)
			if err != nil {
				return nil, err
			}
			defer converted.Release()
			parts[i] = converted.Data()
		}
		out := array.NewData(to, d.Len(), d.Buffers(), parts, d.NullN(), d.Offset())
		defer out.Release()
		return array.MakeFromData(out), nil
	}
}

// apply converts a column. at is the number of the column's first row.
func (c *conversion) apply(a arrow.Array, at int64) (arrow.Array, error) {
	if c.convert == nil {
		a.Retain()
		return a, nil
	}
	out, err := c.convert(a)
	if e, ok := err.(*cellError); ok { //nolint:errorlint // convert does not wrap it
		place := fmt.Sprintf("row %d of the training set", at+int64(e.row)+1)
		if len(a.Data().Children()) > 0 { // the row of a list is not known
			place = "the training set"
		}
		return nil, fault.New(fault.Invalid, "column %s, %s: %s", c.name, place, e.why)
	}
	return out, err
}

// note says what was lost.
func (c *conversion) note() string {
	if c.lost == 0 {
		return ""
	}
	return fmt.Sprintf("column %s: %d times had digits below a microsecond, which the training set does not keep", c.name, c.lost)
}

// timestamps converts timestamps of any unit and zone.
func (c *conversion) timestamps(t *arrow.TimestampType) convertFunc {
	return func(a arrow.Array) (arrow.Array, error) {
		in, ok := a.(*array.Timestamp)
		if !ok {
			return nil, wrongArray(a)
		}
		b := array.NewTimestampBuilder(memory.DefaultAllocator, moment)
		defer b.Release()
		b.Reserve(in.Len())
		for i, v := range in.Values() {
			if in.IsNull(i) || v == noTime {
				b.AppendNull()
				continue
			}
			micros, lost, why := microseconds(v, t.Unit)
			if why != "" {
				return nil, &cellError{i, why}
			}
			if lost {
				c.lost++
			}
			b.Append(micros)
		}
		return b.NewArray(), nil
	}
}

// noTime is null for pandas.
const noTime = math.MinInt64

// microseconds converts a time; lost reports whether it had more digits.
func microseconds(v arrow.Timestamp, unit arrow.TimeUnit) (micros arrow.Timestamp, lost bool, why string) {
	const thousand = 1000
	if unit == arrow.Nanosecond {
		micros, rest := v/thousand, v%thousand
		if rest < 0 {
			micros--
		}
		return micros, rest != 0, ""
	}
	if v == value.Infinity || v == value.MinusInfinity {
		return 0, false, "the time is infinite, which a training set cannot have; leave such rows out, or make the time null, in the source"
	}
	scale := arrow.Timestamp(unit.Multiplier() / arrow.Microsecond.Multiplier())
	if v > math.MaxInt64/scale || v < math.MinInt64/scale {
		return 0, false, fmt.Sprintf("the time %d%s does not fit into microseconds", v, unit)
	}
	return v * scale, false, ""
}

// dates converts dates to their midnight.
func dates(a arrow.Array) (arrow.Array, error) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, moment)
	defer b.Release()
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		var micros arrow.Timestamp
		var why string
		switch d := a.(type) {
		case *array.Date32:
			const day = 24 * 60 * 60 // seconds
			micros, _, why = microseconds(day*arrow.Timestamp(d.Value(i)), arrow.Second)
		case *array.Date64:
			micros, _, why = microseconds(arrow.Timestamp(d.Value(i)), arrow.Millisecond)
		default:
			return nil, wrongArray(a)
		}
		if why != "" {
			return nil, &cellError{i, why}
		}
		b.Append(micros)
	}
	return b.NewArray(), nil
}

// floats converts numbers of any scale.
func floats(a arrow.Array) (arrow.Array, error) {
	in, ok := a.(*value.DecimalTextArray)
	if !ok {
		return nil, wrongArray(a)
	}
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		f, err := strconv.ParseFloat(in.Value(i), 64)
		if err != nil {
			return nil, &cellError{i, "the number is too large for float64; make the feature a STRING, or round it in the source"}
		}
		b.Append(f)
	}
	return b.NewArray(), nil
}

// storage gives the texts of numbers.
func storage(a arrow.Array) (arrow.Array, error) {
	in, ok := a.(array.ExtensionArray)
	if !ok {
		return nil, wrongArray(a)
	}
	in.Storage().Retain()
	return in.Storage(), nil
}

func wrongArray(a arrow.Array) error {
	return fault.New(fault.Internal, "a column of type %s holds a %T", a.DataType(), a)
}
