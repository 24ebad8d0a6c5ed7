package transform

import "math"

// isUTC reports whether a value names UTC.
func isUTC(v val) bool {
	n, ok := v.ref.(*native)
	return v.k == kText && (v.s == "UTC" || v.s == "utc") || ok && n.name == utcName
}

func pdTimestamp(m *machine, a *args) (val, error) {
	if err := a.known("pd.Timestamp()", 1, "tz", "unit"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "pd.Timestamp()")
	}
	tz, given := a.get(-1, "tz")
	if given && tz.k != kNone && !isUTC(tz) {
		return val{}, outside("pd.Timestamp() with a zone other than UTC is not supported")
	}
	utc := given && tz.k != kNone
	unit, ok := a.get(-1, "unit")
	if v := a.pos[0]; ok && v.k != kText {
		return m.timeOfNumber("pd.Timestamp()", v, unit, utc)
	}
	return timeOfText("pd.Timestamp()", a.pos[0], utc)
}

// timeOfText is a single time that is written in a text.
func timeOfText(fn string, v val, utc bool) (val, error) {
	if v.k == kTime && v.w != dDate && (v.w == dTime) == utc {
		return v, nil
	}
	if v.k != kText {
		return val{}, &failure{text: fn + " of a " + v.typeName() + " is not supported", outside: true, data: v.null()}
	}
	t, ok := isoTime(v.s)
	if !ok {
		return val{}, tooMuch("%s of %s is not supported; write times as YYYY-MM-DD HH:MM:SS", fn, repr(v))
	}
	return t.value(utc)
}

// perUnit are the nanoseconds of units of to_datetime, and the digits to which pandas rounds
// fractions of them.
func perUnit(unit val) (by int64, digits int64, ok bool) {
	switch unit.s {
	case "s":
		return second, 9, true
	case "ms":
		return 1_000_000, 6, true
	case "us":
		return microsecond, 3, true
	case "ns":
		return 1, 0, true
	case "m", "min":
		return 60 * second, 10, unit.s == "m"
	case "h":
		return 3600 * second, 12, true
	case "D":
		return dayMicros * microsecond, 13, true
	}
	return 0, 0, false
}

// timeOfNumber is a number of units since 1970.
func (m *machine) timeOfNumber(fn string, v, unit val, utc bool) (val, error) {
	if !v.isNumber() || v.k == kBool || v.null() {
		return val{}, &failure{text: fn + " of a " + v.typeName() + " with unit= is not supported", outside: true, data: v.null()}
	}
	c, err := m.fromList([]val{v})
	if err != nil {
		return val{}, err
	}
	out, err := m.numberTimes(c, unit, &textReader{utc: utc})
	if err != nil {
		return val{}, err
	}
	if t := out.col().ints[0]; t%microsecond == 0 {
		return out.col().at(0), nil
	}
	return val{}, tooMuch("a single time with nanoseconds is not supported")
}

// numberTimes reads a column of numbers as times in nanoseconds.
func (m *machine) numberTimes(c *column, unit val, r *textReader) (val, error) {
	by, digits, ok := perUnit(unit)
	switch {
	case !ok:
		return val{}, outside("pd.to_datetime() with unit=%s is not supported", repr(unit))
	case c.dt == dObject && allNull(c):
	case !c.dt.isInt() && !c.dt.isFloat():
		return val{}, &failure{text: "pd.to_datetime() of a column of " + c.dt.String() + " with unit= is not supported", outside: true, data: c.dt == dObject}
	}
	out := m.mem.column(dTime, c.n)
	out.unit, out.utc = nanosecond, r.utc
	for i := range out.ints {
		var err error
		switch {
		case c.isNull(i):
			out.ints[i] = nat
		case c.dt.isInt():
			x := c.ints[i]
			out.ints[i], err = r.fit(x*by, x <= math.MaxInt64/by && x >= -math.MaxInt64/by)
		default:
			out.ints[i], err = floatTime(c.floats[i], by, digits, r.coerce)
		}
		if err != nil {
			return val{}, err
		}
	}
	return colVal(out), nil
}

// floatTime is a float as a time: its whole part, and its fraction rounded and cut.
func floatTime(f float64, by, digits int64, coerce bool) (int64, error) {
	if n := f * float64(by); n > math.MaxInt64-1024 || n < math.MinInt64+1024 || f != f {
		if coerce {
			return 0, tooMuch("pd.to_datetime() of a float out of the range of nanoseconds with errors=\"coerce\" is not supported")
		}
		return 0, &failure{class: "OutOfBoundsDatetime", text: "cannot convert input with unit", data: true}
	}
	base := math.Trunc(f)
	frac := f - base
	if digits > 0 {
		frac = numpyRound(frac, digits)
	}
	return int64(base)*by + int64(frac*float64(by)), nil
}

// pdToDatetime leaves times as they are, and reads texts of ISO 8601, texts of a format, and
// numbers with a unit.
func pdToDatetime(m *machine, a *args) (val, error) {
	if err := a.known("pd.to_datetime()", 1, "utc", "errors", "unit", "format"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "pd.to_datetime()")
	}
	r, err := readerOf(a)
	if err != nil {
		return val{}, err
	}
	unit, hasUnit := a.get(-1, "unit")
	format, hasFormat := a.get(-1, "format")
	v := a.pos[0]
	switch {
	case hasUnit && hasFormat:
		return val{}, outside("pd.to_datetime() with unit= and format= is not supported")
	case v.k != kColumn && hasUnit:
		return m.timeOfNumber("pd.to_datetime()", v, unit, r.utc)
	case v.k != kColumn:
		return m.oneDatetime(v, r, hasFormat)
	case hasUnit && !v.col().array && v.col().dt != dTime:
		return m.numberTimes(v.col(), unit, r)
	case hasFormat && v.col().dt != dTime:
		return m.formatTimes(v.col(), format, r)
	}
	return m.columnDatetimes(v, r)
}

// columnDatetimes is pd.to_datetime of a column of times or texts.
func (m *machine) columnDatetimes(v val, r *textReader) (val, error) {
	c := v.col()
	switch {
	case c.dt == dTime:
		out := m.mem.clone(c)
		out.utc = out.utc || r.utc
		return colVal(out), nil
	case c.dt.isNumber() || c.array:
		return val{}, outside("pd.to_datetime() of a %s with these arguments is not supported", v.typeName())
	}
	return m.textTimes(c, r.read, r)
}

// readerOf reads the arguments utc and errors.
func readerOf(a *args) (*textReader, error) {
	utc, err := flagOf(a, "utc", false)
	if err != nil {
		return nil, err
	}
	r := &textReader{utc: utc}
	if how, ok := a.get(-1, "errors"); ok && how.s != "raise" {
		if r.coerce = how.s == "coerce"; !r.coerce {
			return nil, outside("pd.to_datetime() with errors=%s is not supported", repr(how))
		}
	}
	return r, nil
}

// oneDatetime is pd.to_datetime of a single value.
func (m *machine) oneDatetime(v val, r *textReader, hasFormat bool) (val, error) {
	switch {
	case v.k == kText && (v.s == "now" || v.s == "today"):
		return m.now(r.utc || v.s == "now"), nil
	case hasFormat || r.coerce:
		return val{}, outside("pd.to_datetime() of a %s with these arguments is not supported", v.typeName())
	}
	return timeOfText("pd.to_datetime()", v, r.utc)
}

// textTimes reads a column of texts as times in nanoseconds.
func (m *machine) textTimes(c *column, read func(val) (int64, error), r *textReader) (val, error) {
	out := m.mem.column(dTime, c.n)
	out.unit = nanosecond
	for i, x := range c.objs {
		if x.null() {
			out.ints[i] = nat
			continue
		}
		if x.k != kText {
			return val{}, tooMuch("pd.to_datetime() of a %s is not supported", x.typeName())
		}
		t, err := read(x)
		if err != nil {
			return val{}, err
		}
		out.ints[i] = t
	}
	out.utc = r.utc || r.zoned
	return colVal(out), nil
}

// formatTimes reads texts of a format.
func (m *machine) formatTimes(c *column, format val, r *textReader) (val, error) {
	if c.dt != dObject || format.k != kText {
		return val{}, outside("pd.to_datetime() of a column of %s with format= is not supported", c.dt)
	}
	if format.s == "ISO8601" {
		r.anyForm = true
		return m.textTimes(c, r.read, r)
	}
	f, err := parseFormat(format.s)
	if err != nil {
		return val{}, err
	}
	return m.textTimes(c, func(x val) (int64, error) {
		if missingTime(x.s) {
			return nat, nil
		}
		t, err := f.read(x)
		var bad *failure
		switch {
		case err == nil:
			return r.fit(t.nanoseconds())
		case r.coerce && asValueError(err, &bad):
			return nat, nil
		}
		return 0, err
	}, r)
}
