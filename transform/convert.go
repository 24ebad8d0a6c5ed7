package transform

import "math"

// asColumn makes a column of n rows from a value; n is -1 if it is not known yet.
func (m *machine) asColumn(v val, n int) (*column, error) {
	switch {
	case v.k == kColumn || v.k == kExtension:
		return v.col(), nil
	case v.isSequence() || v.k == kIter:
		all, err := m.listed(v)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return m.mem.column(dFloat64, 0), nil
		}
		return m.fromList(all)
	case v.isScalar():
		return m.repeated(v, max(n, 0))
	}
	return nil, outside("a %s as a column is not supported", v.typeName())
}

// repeated is a column with one value in every row.
func (m *machine) repeated(v val, n int) (*column, error) {
	dt, _ := scalarType(v)
	if v.isTime() {
		return nil, outside("a single time as a column is not supported")
	}
	out := m.mem.column(dt, n)
	for i := range n {
		switch {
		case dt == dObject:
			out.objs[i] = v
		case dt.isFloat():
			out.floats[i] = v.f
		default:
			out.ints[i] = v.i
		}
	}
	return out, nil
}

// seen counts the kinds of values in a list.
type seen struct{ none, nan, bools, ints, floats, others, times, nats int }

func look(all []val) seen {
	var s seen
	for i := range all {
		switch v := &all[i]; v.k {
		case kNone:
			s.none++
		case kBool:
			s.bools++
		case kInt:
			s.ints++
		case kFloat:
			if v.f != v.f {
				s.nan++
			} else {
				s.floats++
			}
		case kTime, kDelta:
			s.times++
		case kNaT:
			s.nats++
		default:
			s.others++
		}
	}
	return s
}

// fromList makes a column from values of Python as pandas does.
func (m *machine) fromList(all []val) (*column, error) {
	s := look(all)
	n := len(all)
	switch {
	case s.times > 0 && s.others+s.bools+s.ints+s.floats == 0:
		return m.timeColumn(all)
	case n == 0, s.others+s.times+s.nats > 0, s.bools > 0 && s.bools < n, s.none == n:
	case s.bools == n:
		return m.intsOf(dBool, all), nil
	case s.ints == n:
		return m.intsOf(dInt64, all), nil
	default:
		return m.floatsOf(all), nil
	}
	out := m.mem.column(dObject, n)
	copy(out.objs, all)
	return out, nil
}

func (m *machine) intsOf(dt dtype, all []val) *column {
	out := m.mem.column(dt, len(all))
	for i, v := range all {
		out.ints[i] = v.i
	}
	return out
}

func (m *machine) floatsOf(all []val) *column {
	out := m.mem.column(dFloat64, len(all))
	for i, v := range all {
		out.floats[i] = v.float()
		if v.k == kNone {
			out.floats[i] = math.NaN()
		}
	}
	return out
}

// soft is pandas' conversion of a column of objects to the type of its values.
func (m *machine) soft(c *column) (*column, error) {
	if c.dt != dObject || c.n == 0 {
		return c, nil
	}
	s := look(c.objs)
	switch n := c.n; {
	case s.others+s.times+s.nats > 0, s.bools > 0 && s.bools < n:
		return c, nil
	case s.bools == n:
		return m.intsOf(dBool, c.objs), nil
	case s.ints == n:
		return m.intsOf(dInt64, c.objs), nil
	case s.none == n:
		return c, nil
	}
	return m.floatsOf(c.objs), nil
}

// objects is a column as objects of Python.
func (m *machine) objects(c *column) *column {
	if c.dt == dObject {
		return m.mem.clone(c)
	}
	out := m.mem.column(dObject, c.n)
	out.array = c.array
	for i := range out.objs {
		out.objs[i] = c.python(i)
	}
	return out
}

// dtypeOf reads the argument of astype.
func dtypeOf(v val) (dtype, string, error) {
	name := v.s
	switch {
	case v.k == kDType:
		return v.w, "", nil
	case v.k == kNative:
		name = v.ref.(*native).name
	case v.k != kText:
		return 0, "", outside("a %s as a type is not supported", v.typeName())
	}
	switch name {
	case "float", "float64", "double", "f8":
		return dFloat64, "", nil
	case "int", "int64", "i8", "long":
		return dInt64, "", nil
	case "str", "U":
		return dObject, "str", nil
	case "object", "O":
		return dObject, "object", nil
	case "string":
		return dObject, "string", nil
	case "bool", "bool_", "boolean_":
		return dBool, "", nil
	}
	for d := dInt8; d <= dFloat32; d++ {
		if name == d.String() {
			return d, "", nil
		}
	}
	return 0, "", outside("type %q is not supported in astype", name)
}

func columnAstype(m *machine, v val, a *args) (val, error) {
	if err := a.known("astype()", 1, "dtype", "copy"); err != nil {
		return val{}, err
	}
	t, ok := a.get(0, "dtype")
	if !ok {
		return val{}, orMissing(nil, "astype()")
	}
	if d, isDict := t.ref.(*dict); isDict || d != nil {
		return val{}, outside("astype of a column with a dict is not supported")
	}
	out, err := m.astype(v.col(), t)
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

func (m *machine) astype(c *column, t val) (*column, error) {
	dt, text, err := dtypeOf(t)
	if err != nil {
		return nil, err
	}
	var out *column
	switch {
	case text == "string":
		out, err = m.asStrings(c)
	case c.ext != extNone:
		out, err = m.fromExtension(c, dt, text)
	case text == "str":
		out, err = m.asText(c)
	case text == "object":
		out = m.objects(c)
	case dt == c.dt:
		out = m.mem.clone(c)
	case (c.dt == dTime || c.dt == dDelta) && dt == dInt64:
		out = m.mem.column(dInt64, c.n)
		copy(out.ints, c.ints)
	case c.dt == dTime || c.dt == dDelta:
		return nil, outside("astype of %s is not supported", c.dt)
	case dt == dBool:
		out, err = m.asBool(c)
	case dt.isFloat():
		out, err = m.asFloat(c, dt)
	default:
		out, err = m.asInt(c, dt)
	}
	if out != nil {
		out.array = c.array
	}
	return out, err
}

func (m *machine) asText(c *column) (*column, error) {
	out := m.mem.column(dObject, c.n)
	for i := range out.objs {
		v := c.python(i)
		if v.k == kFloat && c.dt == dFloat32 {
			v.w = dFloat32
		}
		if v.isTime() {
			return nil, outside("a time as text is not supported; use .dt.strftime")
		}
		s, err := str(v)
		if err != nil {
			return nil, err
		}
		out.objs[i] = textVal(s)
	}
	return out, nil
}

func (m *machine) asBool(c *column) (*column, error) {
	out := m.mem.column(dBool, c.n)
	for i := range out.ints {
		is, err := truth(c.at(i))
		if err != nil {
			return nil, err
		}
		out.ints[i] = boolVal(is).i
	}
	return out, nil
}

func (m *machine) asFloat(c *column, dt dtype) (*column, error) {
	out := m.mem.column(dt, c.n)
	for i := range out.floats {
		var f float64
		switch {
		case c.dt.isFloat():
			f = c.floats[i]
		case c.dt != dObject:
			f = float64(c.ints[i])
			if dt == dFloat32 {
				f = float64(float32(c.ints[i]))
			}
		default:
			var err error
			if f, err = floatOf(c.objs[i]); err != nil {
				return nil, err
			}
		}
		if dt == dFloat32 {
			f = float64(float32(f))
		}
		out.floats[i] = f
	}
	return out, nil
}

// floatOf is NumPy's conversion of an object to a float.
func floatOf(v val) (float64, error) {
	switch {
	case v.k == kNone:
		return math.NaN(), nil
	case v.isNumber():
		return v.float(), nil
	case v.k == kText:
		f, err := textFloat(v)
		return f.f, err
	}
	return 0, &failure{class: "TypeError", text: "float() argument must be a string or a real number, not '" + v.typeName() + "'", data: true}
}

func (m *machine) asInt(c *column, dt dtype) (*column, error) {
	out := m.mem.column(dt, c.n)
	for i := range out.ints {
		var x int64
		switch {
		case c.dt.isFloat():
			f := c.floats[i]
			if f != f || math.IsInf(f, 0) {
				return nil, &failure{class: "IntCastingNaNError", text: "cannot convert non-finite values (NA or inf) to integer", data: true}
			}
			if f >= 1<<63 || f < -1<<63 {
				return nil, errTooLarge
			}
			x = int64(f)
			if !dt.fits(x) {
				return nil, valueError("%v is out of the range of %s", f, dt)
			}
		case c.dt != dObject:
			x = dt.wrap(c.ints[i])
		default:
			v, err := toInt(c.objs[i])
			if err != nil {
				return nil, err
			}
			if x = v.i; !dt.fits(x) {
				return nil, &failure{class: "OverflowError", text: itoa(x) + " is out of the range of " + dt.String(), data: true}
			}
		}
		out.ints[i] = x
	}
	return out, nil
}
