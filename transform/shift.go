package transform

import "math"

// columnShift moves the rows of a column down, or up. What has no row is null, or
// fill_value.
func columnShift(m *machine, v val, a *args) (val, error) {
	if err := a.known("shift()", 1, "periods", "fill_value"); err != nil {
		return val{}, err
	}
	by := intVal(1)
	if p, ok := a.get(0, "periods"); ok {
		by = p
	}
	if by.k != kInt {
		return val{}, outside("shift() by a %s is not supported", by.typeName())
	}
	fill, given := a.get(-1, "fill_value")
	if given && fill.k != kInt && fill.k != kFloat && fill.k != kText {
		return val{}, outside("fill_value= of shift() that is a %s is not supported", fill.typeName())
	}
	out, err := m.shift(v.col(), by.i, fill, given)
	return colVal(out), err
}

func (m *machine) shift(c *column, by int64, fill val, given bool) (*column, error) {
	if by == 0 || c.n == 0 && given {
		return m.mem.clone(c), nil
	}
	from, fill, err := m.shifted(c, fill, given)
	if err != nil {
		return nil, err
	}
	out := m.mem.like(from)
	for i := range int64(c.n) {
		j := i - by
		switch {
		case j < 0 || j >= int64(c.n) || by > int64(c.n) || by < -int64(c.n):
			out.put(int(i), fill)
		case out.dt == dObject:
			out.objs[i] = from.objs[j]
		case out.dt.isFloat():
			out.floats[i] = from.floats[j]
		default:
			out.ints[i] = from.ints[j]
		}
	}
	return out, nil
}

// shifted is a column of the type that holds the value for rows without one, and that
// value.
func (m *machine) shifted(c *column, fill val, given bool) (*column, val, error) {
	if given {
		if !holds(c, fill) {
			return nil, val{}, outside("fill_value= of shift() of another type than the column's is not supported")
		}
		return c, fill, nil
	}
	switch {
	case c.dt == dTime || c.dt == dDelta:
		return c, intVal(nat), nil
	case c.dt == dObject:
		return c, val{}, nil
	case c.dt == dBool:
		return m.objects(c), floatVal(math.NaN()), nil
	case c.dt.isInt():
		out, err := m.asFloat(c, dFloat64)
		return out, floatVal(math.NaN()), err
	}
	return c, floatVal(math.NaN()), nil
}

// holds reports whether a column keeps its type with one more value.
func holds(c *column, v val) bool {
	switch {
	case c.dt == dObject:
		return true
	case c.dt.isInt():
		return v.k == kInt && c.dt.fits(v.i)
	case c.dt == dFloat32:
		return v.k != kText && exact32(v.float())
	}
	return c.dt == dFloat64 && v.k != kText
}

// columnDiff is the difference to the row before, or to one further away.
func columnDiff(m *machine, v val, a *args) (val, error) {
	if err := a.known("diff()", 1, "periods"); err != nil {
		return val{}, err
	}
	by := intVal(1)
	if p, ok := a.get(0, "periods"); ok {
		by = p
	}
	c := v.col()
	if by.k != kInt || by.i == 0 || c.dt == dBool || c.dt == dObject && c.n > 0 {
		return val{}, &failure{text: "diff() of a column of " + c.dt.String() + " is not supported here", outside: true, data: c.dt == dObject}
	}
	before, err := m.shift(c, by.i, val{}, false)
	if err != nil {
		return val{}, err
	}
	if c.dt.isInt() { // of integers it is computed before they become floats
		out := m.mem.clone(before)
		for i := range out.floats {
			if j := i - int(max(min(by.i, int64(c.n)), -int64(c.n))); j >= 0 && j < c.n {
				out.floats[i] = float64(c.ints[i] - c.ints[j])
			}
		}
		return colVal(out), nil
	}
	return m.binary("-", v, colVal(before))
}
