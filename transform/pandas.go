package transform

import (
	"errors"
	"math"
	"strings"
)

func pdDataFrame(m *machine, a *args) (val, error) {
	if err := a.known("pd.DataFrame()", 1, "data", "index", "columns"); err != nil {
		return val{}, err
	}
	f := &frame{rows: -1}
	out := val{k: kFrame, ref: f}
	if index, ok := a.get(-1, "index"); ok {
		if index.k != kRange {
			return val{}, outside("pd.DataFrame() with an index other than that of the inputs is not supported")
		}
		f.rows = len(index.ref.(*list).items)
	}
	if columns, ok := a.get(-1, "columns"); ok && (!columns.isSequence() || len(a.pos) > 0) {
		return val{}, outside("columns= of pd.DataFrame() is not supported")
	}
	data, ok := a.get(0, "data")
	if !ok || data.k == kNone {
		return out, nil
	}
	switch data.k {
	case kFrame:
		return frameCopy(m, data, &args{})
	case kDict:
		return out, m.frameOf(f, data.ref.(*dict))
	}
	return val{}, outside("pd.DataFrame() of a %s is not supported", data.typeName())
}

// pdFromDict is DataFrame.from_dict of a dict of columns.
func pdFromDict(m *machine, a *args) (val, error) {
	if err := a.known("pd.DataFrame.from_dict()", 1, "data"); err != nil {
		return val{}, err
	}
	data, ok := a.get(0, "data")
	if !ok || data.k != kDict {
		return val{}, outside("pd.DataFrame.from_dict() without a dict is not supported")
	}
	return pdDataFrame(m, &args{pos: []val{data}})
}

// frameOf fills a DataFrame from a dict: columns first, since they give the rows of
// single values.
func (m *machine) frameOf(f *frame, d *dict) error {
	for i, k := range d.keys {
		if k.k != kText {
			return outside("a column whose name is not a text is not supported")
		}
		v := d.values[i]
		if f.rows < 0 && v.k == kExtension {
			f.rows = v.col().n
		}
		if f.rows < 0 && (v.k == kColumn || v.isSequence()) {
			s, err := m.iterate(v)
			if err != nil {
				return err
			}
			f.rows = s.len()
		}
	}
	if f.rows < 0 && len(d.keys) > 0 {
		return valueError("If using all scalar values, you must pass an index")
	}
	for i, k := range d.keys {
		if err := m.setColumn(f, k.s, d.values[i]); err != nil {
			return err
		}
	}
	return nil
}

func pdSeries(m *machine, a *args) (val, error) {
	if err := a.known("pd.Series()", 1, "data", "index", "dtype", "name"); err != nil {
		return val{}, err
	}
	n := -1
	if index, ok := a.get(-1, "index"); ok {
		if index.k != kRange {
			return val{}, outside("pd.Series() with an index other than that of the inputs is not supported")
		}
		n = len(index.ref.(*list).items)
	}
	data, ok := a.get(0, "data")
	if !ok || data.k == kDict {
		return val{}, outside("pd.Series() without a list is not supported")
	}
	if n < 0 && data.isScalar() {
		return val{}, outside("pd.Series() of a single value needs index=")
	}
	c, err := m.asColumn(data, n)
	if err != nil {
		return val{}, err
	}
	if n >= 0 && c.n != n {
		return val{}, valueError("Length of values (%d) does not match length of index (%d)", c.n, n)
	}
	c = m.mem.clone(c)
	if c.array = false; c.n == 0 && data.k != kColumn {
		c = m.mem.column(dObject, 0)
	}
	if t, ok := a.get(-1, "dtype"); ok {
		if c, err = m.astype(c, t); err != nil {
			return val{}, err
		}
	}
	return colVal(c), nil
}

func pdConcat(_ *machine, a *args) (val, error) {
	if err := a.known("pd.concat()", 1, "objs", "axis"); err != nil {
		return val{}, err
	}
	objs, _ := a.get(0, "objs")
	axis, _ := a.get(-1, "axis")
	if !objs.isSequence() || axis.k != kInt || axis.i != 1 {
		return val{}, outside("pd.concat() is supported for a list of DataFrames with axis=1 only")
	}
	out := &frame{rows: -1}
	for _, v := range objs.ref.(*list).items {
		f, ok := v.ref.(*frame)
		if !ok || v.k != kFrame {
			return val{}, outside("pd.concat() of a %s is not supported", v.typeName())
		}
		if out.rows < 0 {
			out.rows = f.rows
		}
		if f.rows != out.rows {
			return val{}, valueError("DataFrames of different numbers of rows do not fit")
		}
		for i, n := range f.names {
			if out.find(n) >= 0 {
				return val{}, outside("pd.concat() with two columns named %q is not supported", n)
			}
			out.names, out.cols = append(out.names, n), append(out.cols, f.cols[i])
		}
	}
	return val{k: kFrame, ref: out}, nil
}

func pdIsna(is bool) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("pd.isna()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "pd.isna()")
		}
		v := a.pos[0]
		switch {
		case v.k == kColumn:
			return columnIsna(is)(m, v, &args{})
		case v.isScalar():
			return boolVal(v.null() == is), nil
		}
		return val{}, outside("pd.isna() of a %s is not supported", v.typeName())
	}
}

// pdToNumeric is to_numeric with errors raise or coerce.
func pdToNumeric(m *machine, a *args) (val, error) {
	if err := a.known("pd.to_numeric()", 2, "errors"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "pd.to_numeric()")
	}
	how, ok := a.get(1, "errors")
	coerce := ok && how.s == "coerce"
	if ok && !coerce && how.s != "raise" {
		return val{}, outside("pd.to_numeric() with errors=%q is not supported", how.s)
	}
	v := a.pos[0]
	if v.k != kColumn {
		return val{}, outside("pd.to_numeric() of a %s is not supported", v.typeName())
	}
	c := v.col()
	if c.dt.isNumber() {
		return colVal(m.mem.clone(c)), nil
	}
	if c.dt != dObject {
		return val{}, outside("pd.to_numeric() of %s is not supported", c.dt)
	}
	return m.toNumeric(c, coerce)
}

func (m *machine) toNumeric(c *column, coerce bool) (val, error) {
	s := look(c.objs)
	if s.bools > 0 && s.bools < c.n && s.others+s.ints+s.floats > 0 {
		return val{}, outside("pd.to_numeric() of bools beside other values is not supported")
	}
	out := m.mem.column(dFloat64, c.n)
	ints := m.mem.column(dInt64, c.n)
	whole := true
	for i, x := range c.objs {
		f, n, isInt, err := number(x)
		if err != nil {
			var fail *failure
			if !coerce || errors.As(err, &fail) && fail.outside {
				return val{}, err
			}
			f, isInt = math.NaN(), false
		}
		out.floats[i], ints.ints[i] = f, n
		whole = whole && isInt
	}
	if whole && c.n > 0 {
		if s.bools == c.n {
			return colVal(m.intsOf(dBool, c.objs)), nil
		}
		return colVal(ints), nil
	}
	if c.n == 0 {
		return colVal(m.mem.column(dInt64, 0)), nil
	}
	return colVal(out), nil
}

// digits counts the digits of a text. pandas reads long numbers less exactly than
// Python.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// number reads a value as pd.to_numeric does.
func number(x val) (f float64, n int64, isInt bool, err error) {
	switch {
	case x.null():
		return math.NaN(), 0, false, nil
	case x.k == kText:
		if strings.Contains(x.s, "_") {
			return 0, 0, false, valueError("Unable to parse string %s", repr(x))
		}
		if digits(x.s) > 15 {
			return 0, 0, false, outside("pd.to_numeric() of texts with more than 15 digits is not supported; use .astype(float)")
		}
		if v, err := toInt(x); err == nil {
			return float64(v.i), v.i, true, nil
		}
		f, err := floatOf(x)
		if err != nil {
			err = valueError("Unable to parse string %s", repr(x))
		}
		return f, 0, false, err
	case x.isNumber():
		return x.float(), x.i, x.k != kFloat, nil
	}
	return 0, 0, false, typeError("Invalid object type %s", x.typeName())
}

// spans are the units of durations, in microseconds.
var spans = map[string]int64{
	"days": dayMicros, "day": dayMicros, "D": dayMicros, "d": dayMicros, "hours": 3_600_000_000, "h": 3_600_000_000, "minutes": 60_000_000, "min": 60_000_000, "m": 60_000_000,
	"seconds": 1_000_000, "s": 1_000_000, "weeks": 7 * dayMicros, "W": 7 * dayMicros, "milliseconds": 1000, "ms": 1000, "microseconds": 1, "us": 1,
}

// span is a number of units as microseconds.
func span(n val, unit string) (int64, bool) {
	by, ok := spans[unit]
	return by * n.i, ok && n.k == kInt && n.i < 1<<20 && n.i > -1<<20
}

func pdTimedelta(_ *machine, a *args) (val, error) {
	total := int64(0)
	for i, n := range a.names {
		if n == "unit" && len(a.pos) == 1 {
			continue
		}
		by, ok := span(a.named[i], n)
		if !ok || len(n) < 4 {
			return val{}, outside("pd.Timedelta(%s=…) is not supported with this value", n)
		}
		total += by
	}
	if len(a.pos) > 0 {
		unit, _ := a.get(1, "unit")
		by, ok := span(a.pos[0], unit.s)
		if !ok {
			return val{}, outside("pd.Timedelta() is supported with named parts, or with an integer and a unit")
		}
		total += by
	}
	return val{k: kDelta, w: dDelta, i: total}, nil
}

func npTimedelta(_ *machine, a *args) (val, error) {
	if len(a.pos) != 2 || len(a.names) > 0 || a.pos[1].k != kText || len(a.pos[1].s) > 2 || a.pos[1].s == "d" {
		return val{}, outside("np.timedelta64() is supported with an integer and a unit only")
	}
	total, ok := span(a.pos[0], a.pos[1].s)
	if !ok {
		return val{}, outside("np.timedelta64() with these arguments is not supported")
	}
	return val{k: kDelta, i: total}, nil
}
