package parquet

import (
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/value"
)

// timeType is the type in which a time column is returned: its own unit, in
// UTC.
func timeType(t arrow.DataType, column, file string) (arrow.DataType, error) {
	unit := arrow.Microsecond
	remedy := "write it as a timestamp"
	switch t := t.(type) {
	case *arrow.TimestampType:
		unit = t.Unit
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		unit = arrow.Nanosecond // fine enough for every text; rows of years out of range are refused
	case *arrow.Date32Type, *arrow.Date64Type, *arrow.NullType:
	case *arrow.DictionaryType:
		return timeType(t.ValueType, column, file)
	default:
		if isNumber(t) {
			remedy = fmt.Sprintf("a number does not tell its unit of time; write it as a timestamp, in pandas with pd.to_datetime(df[%q], unit=\"s\", utc=True)", column)
		}
		return nil, fault.New(fault.Invalid, "column %s of %s holds %s, which is not a time; %s", column, file, t, remedy)
	}
	return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, nil
}

func timeUnit(ts *array.Timestamp) arrow.TimeUnit {
	if t, ok := ts.DataType().(*arrow.TimestampType); ok {
		return t.Unit
	}
	return arrow.Microsecond
}

// finer is the unit that loses nothing of either type.
func finer(a, b arrow.DataType) arrow.TimeUnit {
	unit := arrow.Second
	for _, t := range []arrow.DataType{a, b} {
		switch t := t.(type) {
		case *arrow.TimestampType:
			unit = max(unit, t.Unit)
		case *arrow.Date64Type:
			unit = max(unit, arrow.Millisecond)
		}
	}
	return unit
}

// perSecond is how many of a unit make a second.
func perSecond(u arrow.TimeUnit) int64 { return int64(time.Second) / int64(u.Multiplier()) }

// limits are inclusive bounds in the unit of a column; a zero time means no
// bound.
func limits(ts *array.Timestamp, start, end time.Time) (low, high int64) {
	low, high = math.MinInt64, math.MaxInt64
	unit := perSecond(timeUnit(ts))
	if !start.IsZero() {
		low = scaled(start, unit, true)
	}
	if !end.IsZero() {
		high = scaled(end, unit, false)
	}
	return low, high
}

// scaled converts a time to units per second, rounded up or down, and clamps it
// to 64 bits.
func scaled(t time.Time, perSecond int64, up bool) int64 {
	sec, nanos := t.Unix(), int64(t.Nanosecond())
	if sec > math.MaxInt64/perSecond-1 {
		return math.MaxInt64
	}
	if sec < math.MinInt64/perSecond+1 {
		return math.MinInt64
	}
	step := int64(time.Second) / perSecond
	if up {
		nanos += step - 1
	}
	return sec*perSecond + nanos/step
}

// toTimes converts a column to timestamps of the requested type: other units,
// dates and text are converted, and times without a zone are UTC. place names
// rows.
func toTimes(a arrow.Array, want arrow.DataType, place func(int) string) (arrow.Array, error) {
	to, ok := want.(*arrow.TimestampType)
	if !ok {
		return nil, fault.New(fault.Internal, "%s: times are requested as %s", place(0), want)
	}
	if a.DataType().ID() == arrow.NULL { // an array of this type does not report its cells as null
		return array.MakeArrayOfNull(memory.DefaultAllocator, to, a.Len()), nil
	}
	cells, at := a, func(i int) int { return i }
	if d, ok := a.(*array.Dictionary); ok {
		cells, at = d.Dictionary(), d.GetValueIndex
	}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, to)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) || cells.IsNull(at(i)) {
			b.AppendNull()
			continue
		}
		v, err := timeAt(cells, at(i), to.Unit)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: %s", place(i), fault.Of(err).Text).Because(err)
		}
		b.Append(v)
	}
	return b.NewArray(), nil
}

// timeAt reads one cell as a time in a unit.
func timeAt(a arrow.Array, i int, unit arrow.TimeUnit) (arrow.Timestamp, error) {
	switch c := a.(type) {
	case *array.Timestamp:
		own := timeUnit(c)
		if own == unit {
			return c.Value(i), nil
		}
		return toUnit(c.Value(i).ToTime(own), unit)
	case *array.Date32:
		return toUnit(c.Value(i).ToTime(), unit)
	case *array.Date64:
		return toUnit(c.Value(i).ToTime(), unit)
	case *array.String:
		return parsed(c.Value(i), unit)
	case *array.LargeString:
		return parsed(c.Value(i), unit)
	}
	return 0, fault.New(fault.Invalid, "%s is not a time", a.DataType())
}

func parsed(s string, unit arrow.TimeUnit) (arrow.Timestamp, error) {
	t, err := value.ParseTime(s)
	if err != nil {
		return 0, err
	}
	return toUnit(t, unit)
}

func toUnit(t time.Time, unit arrow.TimeUnit) (arrow.Timestamp, error) {
	v, err := arrow.TimestampFromTime(t, unit)
	if err != nil {
		return 0, fault.New(fault.Invalid, "the time %s does not fit a timestamp of %s", t.Format(time.RFC3339Nano), unit).Because(err)
	}
	return v, nil
}
