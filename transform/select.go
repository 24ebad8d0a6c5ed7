package transform

import "math"

// where is numpy.where: the type is that of both sides together.
func (m *machine) where(cond, a, b val) (val, error) {
	x, y := operandOf(a), operandOf(b)
	if cond.k != kColumn {
		return val{}, outside("np.where needs a column as its condition")
	}
	mask, err := m.asBool(cond.col())
	if err != nil {
		return val{}, err
	}
	for _, o := range []operand{x, y} {
		if o.c == nil && !o.v.isScalar() {
			return val{}, outside("np.where with a %s is not supported", o.v.typeName())
		}
		if o.c != nil && o.c.n != mask.n {
			return val{}, valueError("operands of %d and %d rows could not be broadcast together", mask.n, o.c.n)
		}
	}
	out, err := m.merge(mask, x, y)
	if err != nil {
		return val{}, err
	}
	out.array = true
	return colVal(out), nil
}

func (m *machine) merge(mask *column, x, y operand) (*column, error) {
	if x.dt == dTime || y.dt == dTime || x.dt == dDelta || y.dt == dDelta {
		return nil, outside("np.where with times is not supported; use .where")
	}
	dt := common(x.dt, y.dt, x.weak, y.weak)
	if dt == dObject {
		return m.mergeObjects(mask, x, y)
	}
	return m.pick(mask, x, y, dt), nil
}

// mergeObjects refuses a text beside a number, which NumPy turns into text.
func (m *machine) mergeObjects(mask *column, x, y operand) (*column, error) {
	for _, s := range [][2]operand{{x, y}, {y, x}} {
		text, other := s[0], s[1]
		if text.c == nil && text.v.k == kText && other.dt.isNumber() {
			return nil, outside("np.where with a text and a number is not supported: NumPy makes the number a text")
		}
	}
	out := m.mem.column(dObject, mask.n)
	for i := range out.objs {
		if mask.ints[i] != 0 {
			out.objs[i] = x.at(i)
		} else {
			out.objs[i] = y.at(i)
		}
	}
	return out, nil
}

// pick takes each row from x or y, as type dt.
func (m *machine) pick(mask *column, x, y operand, dt dtype) *column {
	out := m.mem.column(dt, mask.n)
	if dt.isFloat() {
		a, sa := step(m.floats(x), x)
		b, sb := step(m.floats(y), y)
		for i := range out.floats {
			if mask.ints[i] != 0 {
				out.floats[i] = a[i*sa]
			} else {
				out.floats[i] = b[i*sb]
			}
			if dt == dFloat32 {
				out.floats[i] = float64(float32(out.floats[i]))
			}
		}
		return out
	}
	a, sa := step(m.ints(x), x)
	b, sb := step(m.ints(y), y)
	for i := range out.ints {
		if mask.ints[i] != 0 {
			out.ints[i] = a[i*sa]
		} else {
			out.ints[i] = b[i*sb]
		}
	}
	return out
}

// choose is pandas' where and mask: rows of c, or of other where the mask says so.
func (m *machine) choose(mask *column, other val, c *column) (*column, error) {
	if other.k != kColumn && !other.isScalar() {
		return nil, outside("a %s as replacement is not supported", other.typeName())
	}
	if other.k == kColumn && other.col().n != c.n || mask.n != c.n {
		return nil, valueError("columns of different numbers of rows do not fit")
	}
	if !anyTrue(mask) {
		return m.mem.clone(c), nil
	}
	o := operandOf(other)
	self := operandOf(colVal(c))
	if c.dt == dTime || c.dt == dDelta || o.dt == dTime || o.dt == dDelta {
		return m.chooseTimes(mask, other, c)
	}
	dt, err := held(c, o)
	if err != nil {
		return nil, err
	}
	if dt == dObject {
		return m.chooseObjects(mask, self, o, c)
	}
	out := m.pick(mask, m.numeric(o, dt), self, dt)
	if dt != c.dt {
		return m.downcast(out), nil
	}
	return out, nil
}

func (m *machine) chooseObjects(mask *column, self, o operand, c *column) (*column, error) {
	out := m.mem.column(dObject, c.n)
	for i := range out.objs {
		if mask.ints[i] != 0 {
			out.objs[i] = o.at(i)
		} else {
			out.objs[i] = self.at(i)
		}
	}
	if c.dt != dObject {
		return m.inferred(out), nil
	}
	return out, nil
}

// numeric makes a replacement a number of type dt: None is NaN, and whole floats are
// integers in a column of integers.
func (m *machine) numeric(o operand, dt dtype) operand {
	if o.c != nil {
		if !dt.isFloat() && o.dt.isFloat() {
			o = operandOf(colVal(m.downcast(o.c)))
		}
		return o
	}
	if o.v.null() {
		o.v, o.dt = floatVal(math.NaN()), dFloat64
	}
	if !dt.isFloat() && o.v.k == kFloat {
		o.v = intVal(int64(o.v.f))
	}
	return o
}

// held is the type that holds the values of c and its replacements.
func held(c *column, o operand) (dtype, error) {
	scalar := o.c == nil
	switch {
	case c.dt == dObject:
		return dObject, nil
	case scalar && o.v.null():
		return withNull(c.dt), nil
	case o.dt == dObject || (c.dt == dBool) != (o.dt == dBool):
		return dObject, nil
	case c.dt == o.dt:
		return c.dt, nil
	case scalar:
		return heldScalar(c.dt, o.v)
	case c.dt == dFloat64 && o.dt == dInt64, c.dt == dInt64 && o.dt == dFloat64 && wholeFloats(o.c):
		return c.dt, nil
	case c.dt == dInt64 && o.dt == dFloat64:
		return dFloat64, nil
	}
	return 0, outside("replacing rows of %s by %s is not supported; convert one side by .astype", c.dt, o.dt)
}

// withNull is the type of a column that gets a null.
func withNull(dt dtype) dtype {
	switch dt {
	case dBool:
		return dObject
	case dFloat32:
		return dt
	}
	return dFloat64
}

func heldScalar(dt dtype, v val) (dtype, error) {
	switch {
	case dt == dFloat64, dt.isInt() && v.k == kFloat && v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<53:
		return dt, nil
	case dt == dInt64 && v.k == kFloat:
		return dFloat64, nil
	}
	return 0, outside("replacing rows of %s by a %s is not supported; convert one side by .astype", dt, v.typeName())
}

func wholeFloats(c *column) bool {
	for _, f := range c.floats {
		if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return false
		}
	}
	return true
}

func anyTrue(c *column) bool {
	for _, v := range c.ints {
		if v != 0 {
			return true
		}
	}
	return false
}

// downcast makes floats integers if all are whole, as pandas does after it had to
// change the type of a column.
func (m *machine) downcast(c *column) *column {
	if c.dt != dFloat64 || c.n == 0 || !wholeFloats(c) {
		return c
	}
	out := m.mem.column(dInt64, c.n)
	for i, f := range c.floats {
		out.ints[i] = int64(f)
	}
	return out
}

// inferred makes objects of one type a column of that type.
func (m *machine) inferred(c *column) *column {
	switch s := look(c.objs); c.n {
	case 0:
	case s.bools:
		return m.intsOf(dBool, c.objs)
	case s.ints:
		return m.intsOf(dInt64, c.objs)
	}
	return c
}
