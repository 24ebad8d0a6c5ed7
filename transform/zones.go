package transform

import (
	"math"
	"time"
)

// Zones of pandas (pytz) have their changes from 1902 to 2036 only.
const (
	firstChange = -2_145_916_800_000_000 // microseconds
	lastChange  = 2_114_380_800_000_000
)

// inZone is tz_convert to a zone by its name: a column of the wall clock there, which has
// the parts of its times only.
func (m *machine) inZone(c *column, name string) (val, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return val{}, outside("the time zone %s is not known", repr(textVal(name)))
	}
	out := m.mem.like(c)
	out.unit, out.utc, out.ext = c.unit, false, extZoned
	for i := range out.ints {
		t := c.timeAt(i)
		out.ints[i] = c.ints[i]
		if t.k == kNaT {
			continue
		}
		if t.i < firstChange || t.i >= lastChange {
			return val{}, tooMuch("a time before 1902 or after 2036 in the zone %s is not supported", name)
		}
		_, offset := time.UnixMicro(t.i).In(zone).Zone()
		out.ints[i] += int64(offset) * (second / c.unit)
	}
	return colVal(out), nil
}

// timesTest is an attribute such as is_month_end.
func timesTest(test func(t time.Time) bool) func(*machine, *column) (val, error) {
	return func(m *machine, c *column) (val, error) {
		if c.dt != dTime {
			return val{}, outside("this attribute of %s is not supported", c.dt)
		}
		return m.bools(c, func(i int) bool {
			t := c.timeAt(i)
			return t.k != kNaT && test(time.UnixMicro(t.i).UTC())
		}), nil
	}
}

func monthStart(t time.Time) bool { return t.Day() == 1 }
func monthEnd(t time.Time) bool   { return t.Day() == monthDays(t) }
func yearStart(t time.Time) bool  { return t.YearDay() == 1 }
func yearEnd(t time.Time) bool    { return t.Month() == time.December && t.Day() == 31 }
func leapYear(t time.Time) bool {
	return time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366
}

// timesFloor is floor, ceil or round of times to a unit; round is half to even.
func timesFloor(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 1, "freq"); err != nil {
			return val{}, err
		}
		freq, _ := a.get(0, "freq")
		c := v.col()
		by, _, ok := perUnit(freq)
		if freq.s == "min" {
			by, ok = 60*second, true
		}
		if freq.k != kText || !ok || freq.s == "m" || c.dt != dTime || c.ext != extNone || by < c.unit {
			return val{}, outside("%s() of these times to %s is not supported", name, repr(freq))
		}
		by /= c.unit
		out := m.mem.clone(c)
		for i, t := range c.ints {
			if t != nat && t <= math.MaxInt64-by && t >= math.MinInt64+by {
				out.ints[i] = floored(name, t, by)
			}
		}
		return colVal(out), nil
	}
}

// floored is floor, ceil or round of a number of ticks.
func floored(name string, t, by int64) int64 {
	low := floorDiv(t, by) * by
	odd := floorMod(floorDiv(t, by), 2) == 1
	up := t-low > by/2 || t-low == by/2 && by%2 == 0 && odd
	if name == "ceil" && low != t || name == "round" && up {
		low += by
	}
	return low
}
