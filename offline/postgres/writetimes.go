package postgres

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/value"
)

// places is how many digits of a second the server's times have.
const places = 6

// instantAt is a time or a date, or the server's word for an infinite one.
func instantAt(a arrow.Array, row int) (at time.Time, infinite string, err error) {
	switch a := a.(type) {
	case *array.Timestamp:
		switch int64(a.Value(row)) {
		case value.Infinity:
			return at, "infinity", nil
		case value.MinusInfinity:
			return at, "-infinity", nil
		}
		t, ok := a.DataType().(*arrow.TimestampType)
		if !ok {
			return at, "", errType(a)
		}
		return a.Value(row).ToTime(t.Unit), "", nil
	case *array.Date32:
		return a.Value(row).ToTime(), "", nil
	case *array.Date64:
		return a.Value(row).ToTime(), "", nil
	case array.StringLike:
		return parsed(a.Value(row))
	}
	return at, "", errType(a)
}

// parsed reads a text as all of banquet does. The server would read it by its own
// zone and order of day and month, and ignore the offset of a time that it stores
// without a zone.
func parsed(text string) (at time.Time, infinite string, err error) {
	switch word := strings.ToLower(strings.TrimSpace(text)); word {
	case "infinity", "-infinity":
		return at, word, nil
	}
	at, err = value.ParseTime(text)
	return at, "", err
}

// putTime writes times; those without a zone are UTC.
func putTime(mod int32, zoned bool) put {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		at, infinite, err := instantAt(a, row)
		if err != nil || infinite != "" {
			return append(dst, infinite...), err
		}
		if err := keepsNanos(at.Nanosecond(), mod); err != nil {
			return nil, err
		}
		dst, before := appendDay(dst, at)
		dst = at.AppendFormat(dst, " 15:04:05.999999")
		if zoned {
			dst = append(dst, "+00"...)
		}
		return append(dst, before...), nil
	}
}

// appendDay writes a day and returns what marks a year before the first.
func appendDay(dst []byte, at time.Time) (day []byte, before string) {
	year := at.Year()
	if year <= 0 {
		year, before = 1-year, " BC"
	}
	return fmt.Appendf(dst, "%04d-%02d-%02d", year, at.Month(), at.Day()), before
}

var errNoMidnight = errors.New("the time is not a midnight in UTC, and the column holds dates")

func putDate(dst []byte, a arrow.Array, row int) ([]byte, error) {
	at, infinite, err := instantAt(a, row)
	if err != nil || infinite != "" {
		return append(dst, infinite...), err
	}
	if !at.Equal(at.Truncate(24 * time.Hour)) {
		return nil, errNoMidnight
	}
	dst, before := appendDay(dst, at)
	return append(dst, before...), nil
}

// putClock writes times of a day.
func putClock(mod int32) put {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		var at time.Time
		switch a := a.(type) {
		case *array.Time32:
			if t, ok := a.DataType().(*arrow.Time32Type); ok {
				at = a.Value(row).ToTime(t.Unit)
			}
		case *array.Time64:
			if t, ok := a.DataType().(*arrow.Time64Type); ok {
				at = a.Value(row).ToTime(t.Unit)
			}
		default:
			return nil, errType(a)
		}
		return at.AppendFormat(dst, "15:04:05.999999"), keepsNanos(at.Nanosecond(), mod)
	}
}

// putDuration writes lengths of time.
func putDuration(mod int32) put {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		d, ok := a.(*array.Duration)
		if !ok {
			return nil, errType(a)
		}
		unit, ok := a.DataType().(*arrow.DurationType)
		if !ok {
			return nil, errType(a)
		}
		perSecond := int64(time.Second) / int64(unit.Unit.Multiplier())
		v := int64(d.Value(row))
		seconds, rest := v/perSecond, v%perSecond
		nanos := rest * (int64(time.Second) / perSecond)
		if err := keepsNanos(int(max(nanos, -nanos)), mod&0xffff); err != nil {
			return nil, err
		}
		dst = strconv.AppendInt(dst, seconds, 10)
		dst = append(dst, " seconds "...)
		dst = strconv.AppendInt(dst, nanos/1000, 10)
		return append(dst, " microseconds"...), nil
	}
}

// keepsNanos checks that a column holds the fraction of a second.
func keepsNanos(nanos int, mod int32) error {
	digits := places
	if mod >= 0 && mod < places {
		digits = int(mod)
	}
	unit := 1000
	for range places - digits {
		unit *= 10
	}
	if nanos%unit != 0 {
		return errFraction(digits)
	}
	return nil
}

func errFraction(digits int) error {
	if digits == places {
		return errors.New("the time is finer than a microsecond, the unit of the column")
	}
	return fmt.Errorf("the time has more than the %d digits of a second that the column holds", digits)
}

// keepsFraction is keepsNanos for a text.
func keepsFraction(text string, mod int32) error {
	_, fraction, _ := strings.Cut(text, ".")
	end := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		fraction = fraction[:end]
	}
	digits := places
	if mod >= 0 && mod < places {
		digits = int(mod)
	}
	if len(strings.TrimRight(fraction, "0")) > digits {
		return errFraction(digits)
	}
	return nil
}
