package transform

import (
	"math"
	"time"

	"github.com/banquet-fs/banquet/value"
)

const (
	nanosecond  = 1
	microsecond = 1000
	second      = 1_000_000_000
	dayMicros   = 86_400_000_000
)

func strTime(v val) string {
	t := time.UnixMicro(v.i).UTC()
	format := "2006-01-02 15:04:05"
	if v.i%1_000_000 != 0 {
		format += ".000000"
	}
	if v.w == dDate {
		return t.Format("2006-01-02")
	}
	out := t.Format(format)
	if v.w == dTime {
		out += "+00:00"
	}
	return out
}

// timeColumn makes a column from times or durations.
func (m *machine) timeColumn(all []val) (*column, error) {
	out := m.mem.column(dTime, len(all))
	out.unit = microsecond
	first := -1
	for i, v := range all {
		if v.null() {
			out.ints[i] = nat
			continue
		}
		if first < 0 {
			first = i
		}
		if v.w == dDate {
			return nil, outside("a column of dates is not supported; use times")
		}
		if v.k != all[first].k || v.w != all[first].w {
			return nil, outside("times of different kinds in one column are not supported")
		}
		out.ints[i] = v.i
	}
	if all[first].k == kDelta {
		out.dt = dDelta
	}
	out.utc = all[first].w == dTime
	return out, nil
}

// ticks gives an operand's times in steps of unit nanoseconds; a scalar has one.
func (m *machine) ticks(o operand, unit int64) []int64 {
	if o.c == nil {
		out := m.mem.ints.take(1)
		out[0] = nat
		if o.v.k != kNaT {
			out[0] = o.v.i * (microsecond / unit)
			if unit > microsecond {
				out[0] = o.v.i / (unit / microsecond)
			}
		}
		return out
	}
	if o.c.unit == unit {
		return o.c.ints
	}
	out := m.mem.ints.take(o.c.n)
	for i, t := range o.c.ints {
		out[i] = t
		if t != nat {
			out[i] = t * (o.c.unit / unit)
		}
	}
	return out
}

// unitOf is the finer unit of two operands.
func unitOf(a, b operand) int64 {
	unit := int64(second)
	for _, o := range []operand{a, b} {
		if o.c != nil {
			unit = min(unit, o.c.unit)
			continue
		}
		if o.v.k == kDelta && o.v.w == dDelta {
			unit = nanosecond
		}
		for unit > microsecond && o.v.i%(unit/microsecond) != 0 {
			unit /= 1000
		}
	}
	return unit
}

// within refuses times that do not fit into 64 bits in steps of unit nanoseconds.
func within(o operand, unit int64) error {
	times, by := []int64{o.v.i}, microsecond/unit
	if o.c != nil {
		times, by = o.c.ints, o.c.unit/unit
	}
	if by <= 1 {
		return nil
	}
	for _, t := range times {
		if t != nat && (t > math.MaxInt64/by || t < -math.MaxInt64/by) {
			return valueError("a time is out of the range of nanoseconds")
		}
	}
	return nil
}

func (o operand) aware() bool {
	if o.c != nil {
		return o.c.utc
	}
	return o.v.w == dTime
}

// timeBinary is + and - on times and durations, and the quotients of durations.
func (m *machine) timeBinary(op string, a, b operand, n int) (*column, error) {
	unit := unitOf(a, b)
	for _, o := range []operand{a, b} {
		if o.c == nil || o.c.ints != nil {
			if err := within(o, unit); err != nil {
				return nil, err
			}
		}
	}
	out, err := timeType(op, a, b)
	if err != nil {
		return nil, err
	}
	if out == dFloat64 {
		return m.quotients(a, b, n, unit), nil
	}
	p, sp := step(m.ticks(a, unit), a)
	q, sq := step(m.ticks(b, unit), b)
	c := m.mem.column(out, n)
	c.unit, c.utc = unit, out == dTime && (a.aware() || b.aware())
	for i := range c.ints {
		s, t := p[i*sp], q[i*sq]
		switch {
		case s == nat || t == nat:
			c.ints[i] = nat
		case op == "+":
			c.ints[i] = s + t
		default:
			c.ints[i] = s - t
		}
	}
	return c, nil
}

// timeType is the type of the result of an operator on times and durations.
func timeType(op string, a, b operand) (dtype, error) {
	x, y := a.dt, b.dt
	if a.v.k == kNaT {
		x = y
	}
	if b.v.k == kNaT {
		y = x
	}
	type operation struct {
		left, right dtype
		op          string
	}
	results := map[operation]dtype{
		{dTime, dTime, "-"}: dDelta, {dTime, dDelta, "+"}: dTime, {dTime, dDelta, "-"}: dTime, {dDelta, dTime, "+"}: dTime,
		{dDelta, dDelta, "+"}: dDelta, {dDelta, dDelta, "-"}: dDelta, {dDelta, dDelta, "/"}: dFloat64,
	}
	if out, ok := results[operation{x, y, op}]; ok {
		if out == dDelta && x == dTime && a.aware() != b.aware() && a.v.k != kNaT && b.v.k != kNaT {
			return 0, typeError("Cannot subtract tz-naive and tz-aware datetime-like objects")
		}
		return out, nil
	}
	if x == dObject || y == dObject {
		return 0, &failure{class: "TypeError", text: "operator " + op + " of " + x.String() + " and " + y.String() + " is not supported", data: true}
	}
	return 0, outside("operator %s of %s and %s is not supported", op, x, y)
}

func (m *machine) quotients(a, b operand, n int, unit int64) *column {
	p, sp := step(m.ticks(a, unit), a)
	q, sq := step(m.ticks(b, unit), b)
	c := m.mem.column(dFloat64, n)
	for i := range c.floats {
		c.floats[i] = float64(p[i*sp]) / float64(q[i*sq])
		if p[i*sp] == nat || q[i*sq] == nat {
			c.floats[i] = math.NaN()
		}
	}
	return c
}

// timeCompare compares times with times, or with a text.
func (m *machine) timeCompare(op string, a, b operand, out *column) error {
	if b.c == nil && b.v.k == kText && a.dt == dTime {
		t, err := parseTime(b.v.s, a.aware())
		if err != nil {
			return err
		}
		b = operandOf(t)
	}
	if b.c != nil && b.dt == dObject && allNull(b.c) {
		for i := range out.ints {
			out.ints[i] = boolVal(op == "!=").i
		}
		return nil
	}
	if a.dt != b.dt || a.aware() != b.aware() {
		return outside("comparing %s with %s is not supported", a.dt, b.dt)
	}
	unit := unitOf(a, b)
	p, sp := step(m.ticks(a, unit), a)
	q, sq := step(m.ticks(b, unit), b)
	for i := range out.ints {
		s, t := p[i*sp], q[i*sq]
		if s == nat || t == nat {
			out.ints[i] = boolVal(op == "!=").i
			continue
		}
		out.ints[i] = boolVal(ordered(op, cmpInt(s, t))).i
	}
	return nil
}

// parseTime reads a time of ISO 8601; one without a zone is of the wanted kind.
func parseTime(s string, aware bool) (val, error) {
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			v := val{k: kTime, i: t.UnixMicro()}
			if aware {
				v.w = dTime
			}
			return v, nil
		}
	}
	t, err := value.ParseTime(s)
	if err != nil {
		return val{}, valueError("%q is not a time that is read here; write it as YYYY-MM-DD HH:MM:SS", s)
	}
	return val{k: kTime, w: dTime, i: t.UnixMicro()}, nil
}

// chooseTimes replaces rows of a column of times.
func (m *machine) chooseTimes(mask *column, other val, c *column) (*column, error) {
	o := operandOf(other)
	null := o.c == nil && o.v.null()
	if c.dt != dTime && c.dt != dDelta || !null && (o.dt != c.dt || c.dt == dTime && o.aware() != c.utc) {
		return nil, outside("replacing times by %s is not supported", o.dt)
	}
	if null {
		o.v = val{k: kNaT}
	}
	unit := unitOf(operandOf(colVal(c)), o)
	p := m.ticks(operandOf(colVal(c)), unit)
	q, sq := step(m.ticks(o, unit), o)
	out := m.mem.column(c.dt, c.n)
	out.unit, out.utc = unit, c.utc
	for i := range out.ints {
		out.ints[i] = p[i]
		if mask.ints[i] != 0 {
			out.ints[i] = q[i*sq]
		}
	}
	return out, nil
}

// part is an attribute of times: a number of each row.
func part(dt, want dtype, fn func(micros int64) int64) func(*machine, *column) (val, error) {
	return func(m *machine, c *column) (val, error) {
		if c.dt != want {
			return val{}, outside("this attribute of %s is not supported", c.dt)
		}
		out := m.mem.column(dt, c.n)
		null := false
		for i := range out.ints {
			v := c.timeAt(i)
			if v.k == kNaT {
				null = true
				continue
			}
			out.ints[i] = fn(v.i)
		}
		if !null {
			return colVal(out), nil
		}
		f := m.mem.column(dFloat64, c.n)
		for i := range f.floats {
			f.floats[i] = float64(out.ints[i])
			if c.ints[i] == nat {
				f.floats[i] = math.NaN()
			}
		}
		return colVal(f), nil
	}
}

func of(fn func(t time.Time) int) func(int64) int64 {
	return func(micros int64) int64 { return int64(fn(time.UnixMicro(micros).UTC())) }
}

func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

func monthDays(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func timesTotal(m *machine, v val, a *args) (val, error) {
	c := v.col()
	if err := a.known("total_seconds()", 0); err != nil {
		return val{}, err
	}
	if c.dt != dDelta {
		return val{}, outside("total_seconds() of %s is not supported", c.dt)
	}
	out := m.mem.column(dFloat64, c.n)
	for i, t := range c.ints {
		out.floats[i] = float64(t) / float64(second/c.unit)
		if t == nat {
			out.floats[i] = math.NaN()
		}
	}
	return colVal(out), nil
}

func timesNormalize(m *machine, v val, a *args) (val, error) {
	c := v.col()
	if c.dt != dTime || c.ext != extNone {
		return val{}, outside("normalize() of %s is not supported", c.dt)
	}
	out := m.mem.clone(c)
	day := dayMicros * microsecond / c.unit
	for i, t := range c.ints {
		if t != nat {
			out.ints[i] = floorDiv(t, day) * day
		}
	}
	return colVal(out), a.known("normalize()", 0)
}

// timesZone is tz_localize and tz_convert with None, UTC or the name of a zone.
func timesZone(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 1, "tz"); err != nil {
			return val{}, err
		}
		tz, ok := a.get(0, "tz")
		c := v.col()
		if !ok || c.dt != dTime {
			return val{}, outside("%s() of %s is not supported", name, c.dt)
		}
		if tz.k != kNone && !isUTC(tz) || c.ext != extNone {
			return m.wallClock(name, c, tz)
		}
		to := tz.k != kNone
		if name == "tz_localize" && to && c.utc {
			return val{}, typeError("Already tz-aware, use tz_convert to convert.")
		}
		if name == "tz_convert" && !c.utc {
			return val{}, typeError("Cannot convert tz-naive timestamps, use tz_localize to localize")
		}
		out := m.mem.clone(c)
		out.utc = to
		return colVal(out), nil
	}
}

// wallClock is tz_convert to a zone by its name, or tz_localize(None) of times of one.
func (m *machine) wallClock(name string, c *column, tz val) (val, error) {
	switch {
	case name == "tz_convert" && c.utc && tz.k == kText:
		return m.inZone(c, tz.s)
	case name == "tz_localize" && c.ext == extZoned && tz.k == kNone:
		out := m.mem.clone(c)
		out.ext = extNone
		return colVal(out), nil
	}
	return val{}, outside("%s() is supported with None and \"UTC\", and tz_convert with the name of a zone", name)
}

func timeAttribute(v val, name string) (val, error) {
	if v.k == kDelta {
		switch name {
		case "days":
			return intVal(floorDiv(v.i, dayMicros)), nil
		case "seconds":
			return intVal(floorMod(v.i, dayMicros) / 1_000_000), nil
		}
		return val{}, noAttribute(v, name)
	}
	if fn := timeParts(name); fn != nil && (v.w != dDate || name == "year" || name == "month" || name == "day") {
		return intVal(fn(v.i)), nil
	}
	return val{}, noAttribute(v, name)
}

func timeParts(name string) func(int64) int64 {
	switch name {
	case "year":
		return of(time.Time.Year)
	case "month":
		return of(func(t time.Time) int { return int(t.Month()) })
	case "day":
		return of(time.Time.Day)
	case "hour":
		return of(time.Time.Hour)
	case "minute":
		return of(time.Time.Minute)
	case "second":
		return of(time.Time.Second)
	case "microsecond":
		return of(func(t time.Time) int { return t.Nanosecond() / 1000 })
	case "dayofweek", "day_of_week", "weekday":
		return of(weekday)
	case "dayofyear", "day_of_year":
		return of(time.Time.YearDay)
	case "quarter":
		return of(func(t time.Time) int { return (int(t.Month()) + 2) / 3 })
	case "days_in_month", "daysinmonth":
		return of(monthDays)
	}
	return nil
}

func scalarTotal(_ *machine, v val, a *args) (val, error) {
	if v.k != kDelta {
		return val{}, noAttribute(v, "total_seconds")
	}
	return floatVal(float64(v.i) / 1e6), a.known("total_seconds()", 0)
}

func scalarTimestamp(_ *machine, v val, a *args) (val, error) {
	if v.k == kTime && v.w == dNone {
		return val{}, outside("timestamp() of a time without a zone is not supported, since it depends on the zone of the machine")
	}
	if v.k != kTime || v.w != dTime {
		return val{}, noAttribute(v, "timestamp")
	}
	return floatVal(float64(v.i) / 1e6), a.known("timestamp()", 0)
}

func scalarWeekday(_ *machine, v val, a *args) (val, error) {
	if v.k != kTime {
		return val{}, noAttribute(v, "weekday")
	}
	return intVal(timeParts("weekday")(v.i)), a.known("weekday()", 0)
}

// scalarISOWeekday is isoweekday of a single time.
func scalarISOWeekday(m *machine, v val, a *args) (val, error) {
	out, err := scalarWeekday(m, v, a)
	out.i++
	return out, err
}
