package asof

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// per is how many of a unit are a second.
func per(u arrow.TimeUnit) int64 { return int64(time.Second / u.Multiplier()) }

// roundUp is the first time of the unit to that is not before v, or the last
// that the unit has.
func roundUp(v int64, from, to arrow.TimeUnit) int64 {
	switch a, b := per(from), per(to); {
	case a < b:
		n := b / a
		if v > math.MaxInt64/n {
			return math.MaxInt64
		}
		return max(v, math.MinInt64/n) * n
	case a > b:
		n := a / b
		if v > 0 {
			return (v-1)/n + 1
		}
		return v / n
	}
	return v
}

// instant is a time in seconds and nanoseconds since 1970, which holds the times
// of all units.
type instant struct{ seconds, nanos int64 }

func instantOf(v int64, u arrow.TimeUnit) instant {
	n := per(u)
	at := instant{v / n, v % n * int64(u.Multiplier())}
	if at.nanos < 0 {
		at.seconds, at.nanos = at.seconds-1, at.nanos+int64(time.Second)
	}
	return at
}

// within reports whether at is at most ttl after from, which is not later.
func (at instant) within(ttl time.Duration, from instant) bool {
	if ttl < 0 {
		return false
	}
	seconds, nanos := uint64(at.seconds)-uint64(from.seconds), at.nanos-from.nanos
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+int64(time.Second)
	}
	most := uint64(ttl / time.Second)
	return seconds < most || seconds == most && nanos <= int64(ttl%time.Second)
}

// bound is a time for a query's bounds, zero if it is too far away to be one.
func (at instant) bound() time.Time {
	const far = 1 << 40 // seconds: 35,000 years
	if at.seconds < -far || at.seconds > far {
		return time.Time{}
	}
	return time.Unix(at.seconds, at.nanos).UTC()
}

// timesOf are the values of a column of times, whose nulls are anything.
func timesOf(a arrow.Array) ([]arrow.Timestamp, error) {
	ts, ok := a.(*array.Timestamp)
	if !ok {
		return nil, fault.New(fault.Internal, "a column of times is of type %s", a.DataType())
	}
	return ts.TimestampValues(), nil
}

// unitOf is the unit of a column of times.
func unitOf(f arrow.Field) (arrow.TimeUnit, error) {
	ts, ok := f.Type.(*arrow.TimestampType)
	if !ok {
		return 0, fault.New(fault.Internal, "column %s is of type %s, not a timestamp", f.Name, f.Type)
	}
	return ts.Unit, nil
}
