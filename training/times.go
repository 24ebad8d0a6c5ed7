package training

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/value"
)

func utc(unit arrow.TimeUnit) *arrow.TimestampType {
	return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}
}

// eventTimeType is the type of event times: timestamps keep their unit, so that the
// join is exact.
func eventTimeType(name string, from arrow.DataType) (arrow.DataType, error) {
	switch t := plain(from).(type) {
	case *arrow.TimestampType:
		return utc(t.Unit), nil
	case *arrow.Date32Type, *arrow.Date64Type, *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType, *arrow.NullType:
		return utc(arrow.Microsecond), nil
	}
	hint := "make them timestamps, or texts in ISO 8601"
	if arrow.IsInteger(plain(from).ID()) || arrow.IsFloating(plain(from).ID()) {
		hint = "a number does not say its unit; make them timestamps, or texts in ISO 8601"
	}
	return nil, fault.New(fault.Invalid, "column %s of the entity rows holds %s, not times; %s", name, from, hint)
}

// eventTimes makes the event times of entity rows. The error of a cell is a cellError.
func eventTimes(a arrow.Array) (arrow.Array, error) {
	unit := arrow.Microsecond
	if t, ok := a.DataType().(*arrow.TimestampType); ok {
		unit = t.Unit
	}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, utc(unit))
	defer b.Release()
	b.Reserve(a.Len())
	at := timeReader(a, unit)
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		switch v, why := at(i); {
		case why != "":
			return nil, &cellError{i, why}
		case v == noTime:
			b.AppendNull()
		default:
			b.Append(v)
		}
	}
	return b.NewArray(), nil
}

// timeReader reads the times of a column that are not null, in a unit.
func timeReader(a arrow.Array, unit arrow.TimeUnit) func(row int) (v arrow.Timestamp, why string) {
	switch c := a.(type) {
	case *array.Timestamp:
		return func(row int) (arrow.Timestamp, string) { return checked(c.Value(row), unit) }
	case *array.Date32:
		return func(row int) (arrow.Timestamp, string) { return inYears(c.Value(row).ToTime()) }
	case *array.Date64:
		return func(row int) (arrow.Timestamp, string) { return inYears(c.Value(row).ToTime()) }
	case interface{ Value(int) string }:
		return func(row int) (arrow.Timestamp, string) {
			t, err := value.ParseTime(c.Value(row))
			if err != nil {
				return 0, fault.Of(err).Text
			}
			return inYears(t)
		}
	}
	return func(int) (arrow.Timestamp, string) { return noTime, "" } // all are null
}

// checked refuses the times that cannot be compared with others.
func checked(v arrow.Timestamp, unit arrow.TimeUnit) (arrow.Timestamp, string) {
	switch {
	case v == noTime, unit == arrow.Nanosecond:
		return v, ""
	case v == value.Infinity, v == value.MinusInfinity:
		return 0, "the time is infinite; give a time, or null for a row without features"
	}
	if _, why := inYears(v.ToTime(unit)); why != "" {
		return 0, why
	}
	return v, ""
}

// inYears gives a time in microseconds if it is in the range of times that can be
// stored and written.
func inYears(t time.Time) (arrow.Timestamp, string) {
	const last = 9999
	if t = t.UTC(); t.Year() < 1 || t.Year() > last {
		return 0, fmt.Sprintf("the time is in the year %d; event times are in the years 1 to 9999", t.Year())
	}
	return arrow.Timestamp(t.UnixMicro()), ""
}

// constant is a column of one time.
func constant(at time.Time, rows int) arrow.Array {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, utc(arrow.Microsecond))
	defer b.Release()
	b.Reserve(rows)
	for range rows {
		b.Append(arrow.Timestamp(at.UnixMicro()))
	}
	return b.NewArray()
}
