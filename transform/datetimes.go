package transform

import (
	"math"
	"time"
)

// dateOf is the date of a time, as the time of its midnight.
func dateOf(v val) val {
	return val{k: kTime, w: dDate, i: floorDiv(v.i, dayMicros) * dayMicros}
}

// fields reads integers by position or name.
func (a *args) fields(fn string, from int, names []string, into []int) error {
	for i, n := range names {
		v, ok := a.get(from+i, n)
		if !ok {
			continue
		}
		if v.k != kInt || v.i < 0 || v.i > 999_999 {
			return &failure{class: "ValueError", text: fn + "() with " + n + " " + repr(v) + " is not supported", data: true, outside: v.k != kInt}
		}
		into[i] = int(v.i)
	}
	return nil
}

// timeFields are the parts of a datetime.
func timeFields() []string {
	return []string{"year", "month", "day", "hour", "minute", "second", "microsecond"}
}

// dated makes a time of its parts.
func dated(p []int) (val, error) {
	t := time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], p[6]*1000, time.UTC)
	if p[0] < 1 || p[0] > 9999 || p[1] < 1 || p[1] > 12 || t.Day() != p[2] || p[3] > 23 || p[4] > 59 || p[5] > 59 {
		return val{}, valueError("the calendar has no such time")
	}
	return val{k: kTime, i: t.UnixMicro()}, nil
}

// pyDatetime is datetime.datetime(), or datetime.date() with three parts.
func pyDatetime(fn string, n int) function1 {
	return func(_ *machine, a *args) (val, error) {
		names := timeFields()[:n]
		if err := a.known(fn+"()", n, append(names, "tzinfo")...); err != nil {
			return val{}, err
		}
		p := []int{0, 0, 0, 0, 0, 0, 0}
		if err := a.fields(fn, 0, names, p); err != nil {
			return val{}, err
		}
		v, err := dated(p)
		if err != nil {
			return val{}, err
		}
		if n == 3 {
			v.w = dDate
			return v, nil
		}
		return zoned(fn, v, a)
	}
}

// zoned gives a time the zone of the argument tzinfo: UTC or none.
func zoned(fn string, v val, a *args) (val, error) {
	tz, ok := a.get(-1, "tzinfo")
	switch {
	case !ok:
	case tz.k == kNone:
		v.w = dNone
	case isUTC(tz) && tz.k != kText:
		v.w = dTime
	default:
		return val{}, outside("%s() with tzinfo other than None and UTC is not supported", fn)
	}
	return v, nil
}

// timeReplace is replace of a datetime or date.
func timeReplace(_ *machine, v val, a *args) (val, error) {
	if v.k != kTime {
		return val{}, noAttribute(v, "replace")
	}
	names := timeFields()
	if err := a.known("replace()", 0, append(names, "tzinfo")...); err != nil {
		return val{}, err
	}
	t := time.UnixMicro(v.i).UTC()
	p := []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
	if err := a.fields("replace", 7, names, p); err != nil {
		return val{}, err
	}
	out, err := dated(p)
	if out.w = v.w; err != nil || v.w == dDate && out.i%dayMicros != 0 {
		return val{}, orMissing(err, "replace()")
	}
	return zoned("replace", out, a)
}

// timeDate is date() of a datetime.
func timeDate(_ *machine, v val, a *args) (val, error) {
	if v.k != kTime || v.w == dDate {
		return val{}, noAttribute(v, "date")
	}
	return dateOf(v), a.known("date()", 0)
}

// pyStrptime is datetime.strptime().
func pyStrptime(_ *machine, a *args) (val, error) {
	if err := a.known("datetime.strptime()", 2); err != nil || len(a.pos) < 2 {
		return val{}, orMissing(err, "datetime.strptime()")
	}
	if a.pos[0].k != kText || a.pos[1].k != kText {
		return val{}, &failure{class: "TypeError", text: "strptime() argument 1 must be str, not " + a.pos[0].typeName(), data: a.pos[0].null()}
	}
	f, err := parseFormat(a.pos[1].s)
	if err != nil {
		return val{}, err
	}
	t, err := f.read(a.pos[0])
	if err != nil {
		return val{}, err
	}
	return t.value(false)
}

// pyFromISO is datetime.fromisoformat(), or date.fromisoformat().
func pyFromISO(fn string) function1 {
	return func(_ *machine, a *args) (val, error) {
		if err := a.known(fn+"()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, fn+"()")
		}
		v := a.pos[0]
		if v.k != kText {
			return val{}, &failure{class: "TypeError", text: "fromisoformat: argument must be str", data: v.null()}
		}
		t, ok := isoTime(v.s)
		switch {
		case !ok && (v.s == "" || v.s[0] < '0' || v.s[0] > '9'):
			return val{}, valueError("Invalid isoformat string: %s", repr(v))
		case !ok || fn == "date.fromisoformat" && len(v.s) != 10:
			return val{}, tooMuch("%s() of %s is not supported; write times as YYYY-MM-DD HH:MM:SS", fn, repr(v))
		}
		out, err := t.value(false)
		if fn == "date.fromisoformat" && err == nil {
			out.w = dDate
		}
		return out, err
	}
}

// pyFromTimestamp is datetime.fromtimestamp() with UTC, or utcfromtimestamp().
func pyFromTimestamp(fn string) function1 {
	return func(_ *machine, a *args) (val, error) {
		if err := a.known(fn+"()", 2, "tz"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, fn+"()")
		}
		tz, ok := a.get(1, "tz")
		if fn == "datetime.fromtimestamp" && (!ok || !isUTC(tz) || tz.k == kText) {
			return val{}, outside("%s() without UTC is not supported, since its result depends on the zone of the machine", fn)
		}
		v := a.pos[0]
		if !v.isNumber() || v.float() != v.float() || math.Abs(v.float()) > 1e11 {
			return val{}, &failure{class: "TypeError", text: fn + "() of " + repr(v) + " is not supported", data: v.null() || v.isNumber()}
		}
		whole := math.Floor(v.float())
		out := val{k: kTime, i: int64(whole)*1_000_000 + int64(math.RoundToEven((v.float()-whole)*1e6))}
		if fn == "datetime.fromtimestamp" {
			out.w = dTime
		}
		return out, nil
	}
}

// pyTimedelta is datetime.timedelta().
func pyTimedelta(_ *machine, a *args) (val, error) {
	order := []string{"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"}
	if err := a.known("datetime.timedelta()", len(order), order...); err != nil {
		return val{}, err
	}
	total := 0.0
	for i, n := range order {
		v, ok := a.get(i, n)
		if !ok {
			continue
		}
		part := v.float() * float64(spans[n])
		if !v.isNumber() || part != math.Trunc(part) || math.Abs(part) > 1<<52 {
			return val{}, &failure{text: "datetime.timedelta(" + n + "=" + repr(v) + ") is not supported", outside: true, data: v.isNumber() || v.null()}
		}
		total += part
	}
	return val{k: kDelta, i: int64(total)}, nil
}

// pdToTimedelta is pd.to_timedelta of a column of integers, or of a number, with a unit.
func pdToTimedelta(m *machine, a *args) (val, error) {
	if err := a.known("pd.to_timedelta()", 2, "unit"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "pd.to_timedelta()")
	}
	unit, ok := a.get(1, "unit")
	c := a.pos[0].col()
	by, _, known := perUnit(unit)
	if !ok || !known || a.pos[0].k != kColumn || !c.dt.isInt() || c.array {
		return val{}, &failure{text: "pd.to_timedelta() of a " + a.pos[0].typeName() + " with these arguments is not supported; use integers and a unit", outside: true, data: c != nil && (c.dt.isFloat() || c.dt == dObject)}
	}
	out := m.mem.column(dDelta, c.n)
	for i, x := range c.ints {
		if x > math.MaxInt64/by || x < -math.MaxInt64/by {
			return val{}, valueError("a duration is out of the range of nanoseconds")
		}
		out.ints[i] = x * by
	}
	return colVal(out), nil
}
