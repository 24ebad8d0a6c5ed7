package value

import (
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// timeEncoder makes UNIX_TIMESTAMP Values, whole seconds since 1970: times and
// dates are rounded down, numbers and texts are seconds.
func timeEncoder(dt arrow.DataType, how fraction) appendFunc {
	get := secondsGetter(dt, how)
	if get == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, known, err := get(a, row)
		if err != nil || !known {
			return dst, err
		}
		return AppendUnixTimestamp(dst, v), nil
	}
}

func secondsGetter(dt arrow.DataType, how fraction) integerFunc {
	switch dt.ID() {
	case arrow.TIMESTAMP:
		unit := unitOf(dt)
		per := perSecond(unit)
		return func(a arrow.Array, row int) (int64, bool, error) {
			v, known, err := timestampAt(a, row, unit)
			return floorDiv(v, per), known, err
		}
	case arrow.DATE32, arrow.DATE64:
		return dateAt
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return func(a arrow.Array, row int) (int64, bool, error) {
			v, known, err := integerInText(a, row)
			if err != nil {
				err = fault.New(fault.Invalid, "%s, and a text for a time must be whole seconds since 1970; make it a timestamp in the source", fault.Of(err).Text).Because(err)
			}
			return v, known, err
		}
	default:
		return integerGetter(dt, how)
	}
}

// cutTimes makes UNIX_TIMESTAMP Values of the times in lists and maps. Python
// makes datetimes of them and truncates these to seconds, so that times before
// 1970 round up, unlike those above. It does not make datetimes of nanoseconds.
func cutTimes(dt arrow.DataType) appendFunc {
	unit := unitOf(dt)
	per := perSecond(unit)
	if dt.ID() != arrow.TIMESTAMP || unit == arrow.Nanosecond {
		return timeEncoder(dt, exact)
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, known, err := timestampAt(a, row, unit)
		if err != nil || !known {
			return dst, err
		}
		return AppendUnixTimestamp(dst, v/per), nil
	}
}

func unitOf(dt arrow.DataType) arrow.TimeUnit {
	if d, ok := dt.(arrow.TemporalWithUnit); ok {
		return d.TimeUnit()
	}
	return arrow.Second
}

func perSecond(unit arrow.TimeUnit) int64 { return int64(time.Second / unit.Multiplier()) }

// timestampAt reads a timestamp in its unit. The lowest number is the null of
// pandas. PostgreSQL's infinities are not times; nanoseconds have no infinity,
// since their highest number is the last time of pandas.
func timestampAt(a arrow.Array, row int, unit arrow.TimeUnit) (v int64, known bool, err error) {
	c, ok := a.(*array.Timestamp)
	if !ok {
		return 0, false, wrongArray(a)
	}
	v = int64(c.Value(row))
	switch {
	case v < Infinity && v > MinusInfinity:
		return v, true, nil
	case v == noTime:
		return 0, false, nil
	case unit == arrow.Nanosecond:
	case v == Infinity:
		return 0, false, noInfinity("infinity")
	case v == MinusInfinity:
		return 0, false, noInfinity("-infinity")
	}
	return v, true, nil
}

func noInfinity(text string) error {
	return fault.New(fault.Invalid, "the time is %s, which no value can represent; write NULL or a far time instead", text)
}

// countAt is the bare number of a timestamp or a duration.
func countAt(a arrow.Array, row int) (int64, bool, error) {
	if c, ok := a.(*array.Duration); ok {
		v := int64(c.Value(row))
		return v, v != noTime, nil
	}
	return timestampAt(a, row, arrow.Nanosecond)
}

func dateAt(a arrow.Array, row int) (int64, bool, error) {
	switch c := a.(type) {
	case *array.Date32:
		return int64(c.Value(row)) * 86400, true, nil
	case *array.Date64:
		return floorDiv(int64(c.Value(row)), 1000), true, nil
	}
	return 0, false, wrongArray(a)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// timeText returns the text that Python gives times, dates, times of day and
// durations; nil for other types.
func timeText(dt arrow.DataType) appendFunc {
	var build func(a arrow.Array, row int) (string, error)
	switch dt.ID() {
	case arrow.TIMESTAMP:
		unit := unitOf(dt)
		build = func(a arrow.Array, row int) (string, error) { return timestampText(a, row, unit) }
	case arrow.DATE32, arrow.DATE64:
		build = dateText
	case arrow.TIME32, arrow.TIME64:
		unit := unitOf(dt)
		build = func(a arrow.Array, row int) (string, error) { return clockText(a, row, unit) }
	case arrow.DURATION:
		unit := unitOf(dt)
		build = func(a arrow.Array, row int) (string, error) { return durationText(a, row, unit) }
	default:
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		s, err := build(a, row)
		if err != nil || s == "" {
			return dst, err
		}
		return AppendString(dst, s), nil
	}
}

// farthest bounds the seconds for which Go's calendar is right.
const farthest = int64(1e15)

// timestampText is numpy's text of a time in UTC, with as many digits as the
// unit has; empty for a null.
func timestampText(a arrow.Array, row int, unit arrow.TimeUnit) (string, error) {
	v, known, err := timestampAt(a, row, unit)
	if err != nil || !known {
		return "", err
	}
	per := perSecond(unit)
	seconds := floorDiv(v, per)
	t := time.Unix(seconds, (v-seconds*per)*int64(unit.Multiplier())).UTC()
	if seconds > farthest || seconds < -farthest || t.Year() < 0 {
		return "", fault.New(fault.Invalid, "the time %d s from 1970 has a year that text cannot represent", seconds)
	}
	layout := map[arrow.TimeUnit]string{
		arrow.Second: "", arrow.Millisecond: ".000", arrow.Microsecond: ".000000", arrow.Nanosecond: ".000000000",
	}[unit]
	return fmt.Sprintf("%04d", t.Year()) + t.Format("-01-02T15:04:05"+layout), nil
}

func dateText(a arrow.Array, row int) (string, error) {
	seconds, _, err := dateAt(a, row)
	if err != nil {
		return "", err
	}
	if t := time.Unix(seconds, 0).UTC(); seconds < farthest && seconds > -farthest && t.Year() >= 1 && t.Year() <= 9999 {
		return t.Format(time.DateOnly), nil
	}
	return "", fault.New(fault.Invalid, "the date %d days from 1970 has a year that text cannot represent", floorDiv(seconds, 86400))
}

// clockText is Python's text of a time of day, with microseconds if it has any.
func clockText(a arrow.Array, row int, unit arrow.TimeUnit) (string, error) {
	var v int64
	switch c := a.(type) {
	case *array.Time32:
		v = int64(c.Value(row))
	case *array.Time64:
		v = int64(c.Value(row))
	default:
		return "", wrongArray(a)
	}
	per := perSecond(unit)
	if v < 0 || v >= 86400*per {
		return "", fault.New(fault.Invalid, "%d %s are not a time of day", v, unit)
	}
	t := time.Unix(v/per, v%per*int64(unit.Multiplier())).UTC()
	switch {
	case t.Nanosecond() == 0:
		return t.Format("15:04:05"), nil
	case t.Nanosecond()%1000 == 0:
		return t.Format("15:04:05.000000"), nil
	}
	return "", fault.New(fault.Invalid, "the time %s has nanoseconds, which Feast does not know", t.Format("15:04:05.000000000"))
}

// durationText is numpy's text of a duration.
func durationText(a arrow.Array, row int, unit arrow.TimeUnit) (string, error) {
	v, known, err := countAt(a, row)
	if err != nil || !known {
		return "", err
	}
	name := map[arrow.TimeUnit]string{
		arrow.Second: "seconds", arrow.Millisecond: "milliseconds", arrow.Microsecond: "microseconds", arrow.Nanosecond: "nanoseconds",
	}[unit]
	return strconv.FormatInt(v, 10) + " " + name, nil
}
