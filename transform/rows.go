package transform

// row is one row of a DataFrame, as apply(axis=1) gives it.
type row struct {
	f *frame
	i int
	// dt is the type of all columns, in which pandas gives the values.
	dt dtype
}

func (r *row) get(name string) (val, error) {
	j := r.f.find(name)
	if j < 0 {
		return val{}, keyError(textVal(name))
	}
	c := r.f.cols[j]
	if err := c.plain("a row"); err != nil {
		return val{}, err
	}
	if r.dt == dObject {
		return c.python(r.i), nil
	}
	v := c.at(r.i)
	if r.dt.isFloat() && v.k != kFloat {
		return val{k: kFloat, w: r.dt, f: float64(v.i)}, nil
	}
	v.w = r.dt
	return v, nil
}

func frameApply(m *machine, v val, a *args) (val, error) {
	if err := a.known("apply()", 1, "func", "axis"); err != nil {
		return val{}, err
	}
	fn, ok := a.get(0, "func")
	if !ok || fn.k != kLambda || !acrossColumns(a) {
		return val{}, outside("apply() of a DataFrame is supported with a function and axis=1 only")
	}
	f := v.ref.(*frame)
	r := &row{f: f, dt: m.rowType(f)}
	if r.dt == dNone {
		return val{}, outside("apply() over columns that are all times is not supported")
	}
	out := m.mem.column(dObject, max(0, f.rows))
	for i := range out.objs {
		r.i = i
		x, err := m.apply(fn, val{k: kRow, ref: r})
		if err != nil {
			return val{}, err
		}
		if !x.isScalar() || x.isTime() {
			return val{}, outside("apply() to a %s is not supported", x.typeName())
		}
		out.objs[i] = x
	}
	if out.n == 0 {
		return val{}, &failure{text: "apply() of a DataFrame without rows is not supported", outside: true, data: true}
	}
	c, err := m.fromList(out.objs)
	return colVal(c), err
}

// rowType is the type in which pandas gives the values of a row; dNone if it is
// not supported.
func (m *machine) rowType(f *frame) dtype {
	cols := f.cols
	if f == m.inputs && m.wholeType != dNone {
		return m.wholeType
	}
	if len(cols) == 0 {
		return dObject
	}
	dt, times := cols[0].dt, 0
	for _, c := range cols {
		switch {
		case c.dt == dTime || c.dt == dDelta:
			times++
		case (c.dt == dBool) != (dt == dBool):
			dt = dObject
		default:
			dt = promote(dt, c.dt)
		}
	}
	switch times {
	case 0:
		return dt
	case len(cols):
		return dNone
	}
	return dObject
}

// frameGet is get of a row, or of a DataFrame, which has a column or the default.
func frameGet(m *machine, v val, a *args) (val, error) {
	if err := a.known("get()", 2, "key", "default"); err != nil {
		return val{}, err
	}
	key, ok := a.get(0, "key")
	if !ok || key.k != kText {
		return val{}, outside("get() of a %s is supported with the name of a column", v.typeName())
	}
	f, whole := v.ref.(*frame)
	if !whole {
		f = v.ref.(*row).f
	}
	if f.find(key.s) < 0 {
		out, _ := a.get(1, "default")
		return out, nil
	}
	return m.item(v, key)
}
