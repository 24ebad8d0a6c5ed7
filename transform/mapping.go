package transform

import "math"

// columnMap is map and apply of a Series.
func columnMap(m *machine, v val, a *args) (val, error) {
	if err := a.known("map() and apply()", 1, "arg", "func"); err != nil {
		return val{}, err
	}
	by, ok := a.get(0, "arg")
	if !ok {
		by, ok = a.get(-1, "func")
	}
	if !ok {
		return val{}, orMissing(nil, "map()")
	}
	c := v.col()
	if d, isDict := by.ref.(*dict); isDict && by.k == kDict {
		return m.mapDict(c, d)
	}
	if n, isNative := by.ref.(*native); isNative && len(n.name) > 6 && n.name[:6] == "numpy." {
		return n.fn(m, &args{pos: []val{v}})
	}
	if by.k != kLambda && by.k != kNative {
		return val{}, outside("map() by a %s is not supported", by.typeName())
	}
	return m.mapCall(c, by)
}

// mapCall calls a function with each row.
func (m *machine) mapCall(c *column, by val) (val, error) {
	out := m.mem.column(dObject, c.n)
	for i := range out.objs {
		x, err := m.apply(by, c.python(i))
		if err != nil {
			return val{}, err
		}
		if !x.isScalar() && x.k != kList && x.k != kTuple || x.isTime() {
			return val{}, outside("map() to a %s is not supported", x.typeName())
		}
		out.objs[i] = x
	}
	conv, err := m.soft(out)
	return colVal(conv), err
}

func (m *machine) mapDict(c *column, d *dict) (val, error) {
	if err := mappable(c, d); err != nil {
		return val{}, err
	}
	values, err := m.fromList(d.values)
	if err != nil {
		return val{}, err
	}
	at := m.mem.ints.take(c.n)
	missing := false
	for i := range at {
		at[i] = int64(d.find(c.python(i)))
		missing = missing || at[i] < 0
	}
	dt := values.dt
	switch {
	case len(d.keys) == 0 && c.n == 0:
		dt = dObject
	case len(d.keys) == 0:
		dt = dFloat64
	case missing:
		dt = withNull(dt)
		if values.dt == dObject {
			dt = dObject
		}
	}
	out := m.mem.column(dt, c.n)
	for i, j := range at {
		v := floatVal(math.NaN())
		if j >= 0 {
			v = values.python(int(j))
		}
		if dt == dObject || dt.isFloat() {
			out.setNumber(i, v)
		} else {
			out.ints[i] = v.i
		}
	}
	return colVal(out), nil
}

// mappable refuses dicts whose keys are of other types than the column, which pandas
// compares in its own ways.
func mappable(c *column, d *dict) error {
	keys := look(d.keys)
	mixed := keys.bools > 0 && keys.bools < len(d.keys) || keys.others > 0 && keys.others < len(d.keys)
	other := (c.dt == dBool) != (keys.bools > 0) && c.dt != dObject && keys.others == 0
	if mixed || other || c.dt == dTime || c.dt == dDelta {
		return outside("map() by a dict with keys of other types than the column is not supported")
	}
	if keys.nan > 0 {
		return outside("map() by a dict with the key NaN is not supported; use .fillna")
	}
	if v := look(d.values); v.times > 0 {
		return outside("map() to times is not supported")
	}
	return nil
}

func columnCopy(m *machine, v val, a *args) (val, error) {
	return colVal(m.mem.clone(v.col())), a.known("copy()", 0, "deep")
}

func columnArray(m *machine, v val, a *args) (val, error) {
	out := *v.col()
	out.array = true
	return colVal(&out), a.known("to_numpy()", 0)
}

func columnList(m *machine, v val, a *args) (val, error) {
	if err := a.known("tolist()", 0); err != nil {
		return val{}, err
	}
	c := v.col()
	out := make([]val, c.n)
	for i := range out {
		out[i] = c.python(i)
	}
	return listVal(out), nil
}

// columnRename gives a column another name, which nothing here needs.
func columnRename(_ *machine, v val, a *args) (val, error) {
	if err := a.known("rename()", 1, "index"); err != nil {
		return val{}, err
	}
	if name, _ := a.get(0, "index"); name.k != kText && name.k != kNone {
		return val{}, outside("rename() of a column to other than a text is not supported")
	}
	return v, nil
}
