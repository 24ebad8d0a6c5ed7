package asof

import (
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestTimesAreRoundedUp(t *testing.T) {
	const s, ms, us, ns = arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond
	for _, c := range []struct {
		v        int64
		from, to arrow.TimeUnit
		want     int64
	}{
		{5, us, us, 5},
		{5, s, us, 5_000_000},
		{-5, s, ns, -5_000_000_000},
		{5_000_000, us, s, 5},
		{5_000_001, us, s, 6},
		{4_999_999, us, s, 5},
		{1, ns, us, 1},
		{0, ns, us, 0},
		{-1, ns, us, 0},
		{-1000, ns, us, -1},
		{-1001, ns, us, -1},
		{-999, ns, us, 0},
		{math.MaxInt64, s, ns, math.MaxInt64},
		{math.MaxInt64 / 1000, ms, us, math.MaxInt64 / 1000 * 1000},
		{math.MaxInt64/1000 + 1, ms, us, math.MaxInt64},
		{math.MinInt64, s, ms, math.MinInt64 / 1000 * 1000},
		{math.MinInt64, ns, ns, math.MinInt64},
		{math.MaxInt64, ns, s, 9_223_372_037},
		{math.MinInt64, ns, s, -9_223_372_036},
	} {
		if got := roundUp(c.v, c.from, c.to); got != c.want {
			t.Errorf("%d from %v to %v is %d, want %d", c.v, c.from, c.to, got, c.want)
		}
	}
}

func TestAgesAreExact(t *testing.T) {
	const us, ns, s = arrow.Microsecond, arrow.Nanosecond, arrow.Second
	for _, c := range []struct {
		at       int64
		unit     arrow.TimeUnit
		from     int64
		fromUnit arrow.TimeUnit
		ttl      time.Duration
		want     bool
	}{
		{1_000, ns, 0, us, 1000, true},
		{1_001, ns, 0, us, 1000, false},
		{0, us, -1, us, time.Microsecond, true},
		{0, us, -1001, ns, time.Microsecond, false},
		{3600, s, 0, us, time.Hour, true},
		{3600, s, -1, us, time.Hour, false},
		{3600, s, -1, us, time.Hour + 999, false},
		{3600, s, -1, us, time.Hour + 1000, true},
		{math.MaxInt64, s, math.MinInt64, s, math.MaxInt64, false},
		{math.MaxInt64, us, math.MaxInt64 - 1, us, time.Microsecond, true},
		{9_223_372_036, s, 0, s, math.MaxInt64, true},
		{9_223_372_037, s, 0, s, math.MaxInt64, false},
		{5, us, 5, us, 1, true},
	} {
		if got := instantOf(c.at, c.unit).within(c.ttl, instantOf(c.from, c.fromUnit)); got != c.want {
			t.Errorf("%d %v is within %v after %d %v: %v", c.at, c.unit, c.ttl, c.from, c.fromUnit, got)
		}
	}
}
