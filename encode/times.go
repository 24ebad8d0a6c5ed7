package encode

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/value"
)

// timeFunc reads a time, false if the cell has none.
type timeFunc func(row int) (time.Time, bool)

// times reads a column of times: timestamps, dates, or only nulls. The null of
// pandas and PostgreSQL's infinities are not times.
func times(a arrow.Array, name string) (timeFunc, error) {
	switch c := a.(type) {
	case *array.Timestamp:
		if t, ok := a.DataType().(*arrow.TimestampType); ok {
			return timestamps(c, t.Unit), nil
		}
	case *array.Date32:
		return func(row int) (time.Time, bool) { return c.Value(row).ToTime(), c.IsValid(row) }, nil
	case *array.Date64:
		return func(row int) (time.Time, bool) { return c.Value(row).ToTime(), c.IsValid(row) }, nil
	case *array.Null:
		return func(int) (time.Time, bool) { return time.Time{}, false }, nil
	}
	return nil, fault.New(fault.Invalid, "column %s holds %s, not a time", name, a.DataType())
}

func timestamps(c *array.Timestamp, unit arrow.TimeUnit) timeFunc {
	return func(row int) (time.Time, bool) {
		if c.IsNull(row) || !isTime(int64(c.Value(row)), unit) {
			return time.Time{}, false
		}
		return c.Value(row).ToTime(unit), true
	}
}

// isTime refuses the numbers with a special meaning. Nanoseconds have no
// infinity, since their highest number is the last time of pandas.
func isTime(v int64, unit arrow.TimeUnit) bool {
	const null = -1 << 63
	return v != null && (unit == arrow.Nanosecond || v != value.Infinity && v != value.MinusInfinity)
}
