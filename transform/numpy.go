package transform

import "math"

// ufunc is a function of NumPy on each row, as floats.
func ufunc(name string, fn func(float64) float64) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, name+"()")
		}
		return m.ufunc(name, a.pos[0], fn)
	}
}

func (m *machine) ufunc(name string, v val, fn func(float64) float64) (val, error) {
	switch {
	case v.isSequence():
		c, err := m.array(v)
		if err != nil {
			return val{}, err
		}
		v = colVal(c)
	case v.k == kFrame:
		return m.frameMap(v, func(c *column) (*column, error) { return m.eachFloat(c, fn) })
	case v.isNumber() && v.w != dFloat32:
		return val{k: kFloat, w: dFloat64, f: fn(v.float())}, nil
	}
	if v.k != kColumn {
		return val{}, &failure{class: "TypeError", text: name + "() of a " + v.typeName() + " is not supported", outside: v.isNumber(), data: v.null()}
	}
	if c := v.col(); c.dt == dBool || c.dt.isInt() && c.dt.bits() < 32 {
		return val{}, outside("%s() of a column of %s is not supported; convert it to float64 first", name, c.dt)
	}
	out, err := m.eachFloat(v.col(), fn)
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

// array is numpy.array of a list.
func (m *machine) array(v val) (*column, error) {
	if r, ok := v.ref.(*ndarray); ok {
		return m.vector(r)
	}
	if v.k == kColumn {
		out := *v.col()
		out.array = true
		return &out, nil
	}
	all, err := m.listed(v)
	if err != nil {
		return nil, err
	}
	s := look(all)
	if s.none > 0 && s.none < len(all) || s.bools > 0 && s.bools < len(all) || s.times > 0 {
		return nil, outside("an array of values of several types is not supported; use pd.Series")
	}
	if len(all) == 0 {
		out := m.mem.column(dFloat64, 0)
		out.array = true
		return out, nil
	}
	out, err := m.fromList(all)
	if out != nil {
		out.array = true
	}
	return out, err
}

func npArray(m *machine, a *args) (val, error) {
	if err := a.known("np.array()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.array()")
	}
	if _, isArray := a.pos[0].ref.(*ndarray); !a.pos[0].isSequence() && a.pos[0].k != kColumn && !isArray {
		return val{}, outside("np.array() of a %s is not supported", a.pos[0].typeName())
	}
	c, err := m.array(a.pos[0])
	return colVal(c), err
}

func npWhere(m *machine, a *args) (val, error) {
	if err := a.known("np.where()", 3); err != nil {
		return val{}, err
	}
	if len(a.pos) != 3 {
		return val{}, outside("np.where() is supported with three arguments only")
	}
	return m.where(a.pos[0], a.pos[1], a.pos[2])
}

// npSelect is numpy.select: the first choice whose condition is true.
func npSelect(m *machine, a *args) (val, error) {
	if err := a.known("np.select()", 3, "condlist", "choicelist", "default"); err != nil {
		return val{}, err
	}
	out, ok := a.get(2, "default")
	if !ok {
		out = intVal(0)
	}
	c, x, err := cases(a)
	if err != nil {
		return val{}, err
	}
	dt, texts, err := selected(out, x)
	if err == nil && dt == dObject && !texts {
		out, x, err = m.asObjects(out, x, c[0].col())
	}
	for i := len(c) - 1; i >= 0 && err == nil; i-- {
		out, err = m.where(c[i], x[i], out)
	}
	if err != nil {
		return val{}, err
	}
	if r := out.col(); dt != dObject && r.dt != dt {
		conv, err := m.astype(r, val{k: kDType, w: dt})
		return colVal(conv), err
	}
	return out, nil
}

// cases are the conditions and choices of np.select.
func cases(a *args) (conds, choices []val, err error) {
	c, _ := a.get(0, "condlist")
	x, _ := a.get(1, "choicelist")
	if !c.isSequence() || !x.isSequence() {
		return nil, nil, outside("np.select() needs a list of conditions and a list of choices")
	}
	conds, choices = c.ref.(*list).items, x.ref.(*list).items
	if len(conds) != len(choices) || len(conds) == 0 {
		return nil, nil, valueError("list of cases must be same length as list of conditions")
	}
	for i, cond := range conds {
		if cond.k != kColumn || cond.col().dt != dBool {
			return nil, nil, typeError("invalid entry %d in condlist: should be boolean ndarray", i)
		}
	}
	return conds, choices, nil
}

// selected is the type of a default and choices, and whether they are texts.
func selected(out val, x []val) (dt dtype, texts bool, err error) {
	dt, n := dBool, 0
	for _, v := range append([]val{out}, x...) {
		o := operandOf(v)
		if v.k == kText || o.dt == dObject && v.k == kColumn && o.c.array {
			n++
		}
		dt = promote(dt, o.dt)
		if o.dt == dFloat32 {
			return 0, false, outside("np.select() with float32 is not supported")
		}
	}
	if n > 0 && n <= len(x) && out.k != kNone {
		return 0, false, outside("np.select() with texts and other values is not supported; give a default of text")
	}
	return dt, n > 0, nil
}

// asObjects makes a default and choices columns of objects, so that they keep their
// types beside each other.
func (m *machine) asObjects(out val, x []val, like *column) (val, []val, error) {
	if like == nil {
		return val{}, nil, outside("np.select() needs columns as conditions")
	}
	all := make([]val, 0, len(x)+1)
	for _, v := range append([]val{out}, x...) {
		c, err := m.asColumn(v, like.n)
		if err != nil {
			return val{}, nil, err
		}
		all = append(all, colVal(m.objects(c)))
	}
	return all[0], all[1:], nil
}

// npExtreme is maximum, minimum, fmax or fmin.
func npExtreme(name string) func(*machine, *args) (val, error) {
	largest, skip := name == "np.maximum" || name == "np.fmax", name[:4] == "np.f"
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		x, y := operandOf(a.pos[0]), operandOf(a.pos[1])
		if x.dt == dObject && x.c != nil && x.c.n == 0 {
			return a.pos[0], nil
		}
		for _, o := range []operand{x, y} {
			if !o.dt.isNumber() || o.dt == dBool {
				return val{}, &failure{class: "TypeError", text: name + "() of " + x.dt.String() + " and " + y.dt.String() + " is not supported", data: o.dt == dObject}
			}
		}
		dt := common(x.dt, y.dt, x.weak, y.weak)
		if x.c == nil && y.c == nil {
			return scalarExtreme(dt, a.pos[0], a.pos[1], largest, skip), nil
		}
		n, err := rowsOf(x, y)
		if err != nil {
			return val{}, err
		}
		out := m.extremes(dt, x, y, n, largest, skip)
		out.array = x.isArray() && y.isArray()
		return colVal(out), nil
	}
}

func scalarExtreme(dt dtype, a, b val, largest, skip bool) val {
	if dt.isFloat() {
		return val{k: kFloat, w: dt, f: extremeOf(a.float(), b.float(), largest, skip)}
	}
	if largest {
		return val{k: kInt, w: dt, i: max(a.i, b.i)}
	}
	return val{k: kInt, w: dt, i: min(a.i, b.i)}
}

func extremeOf(x, y float64, largest, skip bool) float64 {
	switch {
	case x != x:
		if skip {
			return y
		}
		return x
	case y != y:
		if skip {
			return x
		}
		return y
	case largest && x >= y || !largest && x <= y:
		return x
	}
	return y
}

func (m *machine) extremes(dt dtype, a, b operand, n int, largest, skip bool) *column {
	out := m.mem.column(dt, n)
	if dt.isFloat() {
		x, sx := step(m.floats(a), a)
		y, sy := step(m.floats(b), b)
		if dt == dFloat32 {
			x, y = m.float32s(x, a), m.float32s(y, b)
		}
		for i := range out.floats {
			out.floats[i] = extremeOf(x[i*sx], y[i*sy], largest, skip)
		}
		return out
	}
	x, sx := step(m.ints(a), a)
	y, sy := step(m.ints(b), b)
	for i := range out.ints {
		if largest {
			out.ints[i] = max(x[i*sx], y[i*sy])
		} else {
			out.ints[i] = min(x[i*sx], y[i*sy])
		}
	}
	return out
}

// npTest is isnan, isfinite or isinf.
func npTest(name string, test func(float64) bool) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, name+"()")
		}
		v := a.pos[0]
		if v.isNumber() {
			return val{k: kBool, w: dBool, i: boolVal(test(v.float())).i}, nil
		}
		c := v.col()
		if v.k != kColumn || !c.dt.isNumber() {
			return val{}, &failure{class: "TypeError", text: "ufunc '" + name + "' not supported for the input types", data: v.null() || v.k == kColumn}
		}
		x := m.floats(operandOf(v))
		return m.bools(c, func(i int) bool { return test(x[i]) }), nil
	}
}

func npBinary(name, op string) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		x, y := operandOf(a.pos[0]), operandOf(a.pos[1])
		if !x.dt.isNumber() || !y.dt.isNumber() {
			return val{}, &failure{class: "TypeError", text: name + "() is supported for numbers only", data: x.dt == dObject || y.dt == dObject}
		}
		if x.c == nil && y.c == nil || op == "//" || op == "%" {
			return val{}, outside("%s() of these values is not supported; use the operator %s", name, op)
		}
		return m.binary(op, a.pos[0], a.pos[1])
	}
}

// npLogical is logical_and, logical_or or logical_xor on bools.
func npLogical(name, op string) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		for _, v := range a.pos {
			if operandOf(v).dt != dBool {
				return val{}, &failure{text: name + "() of other than bools is not supported", outside: true, data: v.k == kColumn && v.col().dt == dObject}
			}
		}
		return m.binary(op, a.pos[0], a.pos[1])
	}
}

func npNot(m *machine, a *args) (val, error) {
	if err := a.known("np.logical_not()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.logical_not()")
	}
	if operandOf(a.pos[0]).dt != dBool {
		return val{}, outside("np.logical_not() of other than bools is not supported")
	}
	if a.pos[0].k == kColumn {
		return m.unary("~", a.pos[0])
	}
	return val{k: kBool, w: dBool, i: a.pos[0].i ^ 1}, nil
}

func npRound(m *machine, a *args) (val, error) {
	if len(a.pos) == 0 {
		return val{}, orMissing(nil, "np.round()")
	}
	v := a.pos[0]
	rest := &args{pos: a.pos[1:], names: a.names, named: a.named}
	switch v.k {
	case kColumn:
		return columnRound(m, v, rest)
	case kFloat:
		d, _ := rest.get(0, "decimals")
		return val{k: kFloat, w: dFloat64, f: numpyRound(v.f, d.i)}, rest.known("np.round()", 1, "decimals")
	case kInt:
		if d, _ := rest.get(0, "decimals"); d.i >= 0 {
			return val{k: kInt, w: dInt64, i: v.i}, rest.known("np.round()", 1, "decimals")
		}
	}
	return val{}, &failure{text: "np.round() of a " + v.typeName() + " is not supported", outside: true, data: v.null()}
}

func npAbs(m *machine, a *args) (val, error) {
	if err := a.known("np.abs()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.abs()")
	}
	out, err := m.abs(a.pos[0])
	if out.isNumber() && out.w == dNone {
		out.w, _ = scalarType(out)
	}
	return out, err
}

func npClip(m *machine, a *args) (val, error) {
	if err := a.known("np.clip()", 3); err != nil || len(a.pos) < 3 {
		return val{}, orMissing(err, "np.clip()")
	}
	v := a.pos[0]
	if v.k != kColumn {
		return val{}, outside("np.clip() of a %s is not supported; use min and max", v.typeName())
	}
	if !v.col().array {
		return columnClip(m, v, &args{pos: a.pos[1:]})
	}
	return val{}, outside("np.clip() of an array is not supported; use np.minimum and np.maximum")
}

func npReduce(name string) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("np."+name+"()", 2, "axis"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "np."+name+"()")
		}
		if a.pos[0].k == kMatrix {
			return m.reduceRows(name, a.pos[0], a, 0)
		}
		if len(a.pos)+len(a.names) > 1 {
			return val{}, outside("axis= of np.%s() is supported for an array of two dimensions only", name)
		}
		v, err := m.flat(a.pos[0])
		if err != nil {
			return val{}, err
		}
		if v.k != kColumn {
			return val{}, outside("np.%s() of a %s is not supported", name, v.typeName())
		}
		if name == "median" { // of which pandas knows nothing
			c := *v.col()
			c.array = true
			v = colVal(&c)
		}
		if v.col().n == 0 && name != "sum" {
			return val{}, valueError("np.%s() of an empty array", name)
		}
		return m.reduce(name, v.col())
	}
}

func npNanToNum(m *machine, a *args) (val, error) {
	if err := a.known("np.nan_to_num()", 1, "nan"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.nan_to_num()")
	}
	with := 0.0
	if v, ok := a.get(-1, "nan"); ok {
		with = v.float()
	}
	fix := func(f float64) float64 {
		switch {
		case f != f:
			return with
		case math.IsInf(f, 0):
			return math.Copysign(math.MaxFloat64, f)
		}
		return f
	}
	v := a.pos[0]
	if v.k == kColumn && (v.col().dt.isInt() || v.col().dt == dBool) {
		return columnArray(m, v, &args{})
	}
	out, err := m.ufunc("np.nan_to_num", v, fix)
	if c := out.col(); err == nil && c != nil {
		c.array = true
	}
	return out, err
}

// npFilled is zeros_like, ones_like or full_like.
func npFilled(name string, fill val) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2, "dtype"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, name+"()")
		}
		c := a.pos[0].col()
		if a.pos[0].k != kColumn || !c.dt.isNumber() || fill.k == kNone && len(a.pos) < 2 {
			return val{}, outside("%s() of a %s is not supported", name, a.pos[0].typeName())
		}
		v := fill
		if v.k == kNone {
			v = a.pos[1]
		}
		t, ok := a.get(-1, "dtype")
		if !ok {
			t = val{k: kDType, w: c.dt}
		}
		out, err := m.repeated(v, c.n)
		if err != nil {
			return val{}, err
		}
		out, err = m.astype(out, t)
		if out != nil {
			out.array = true
		}
		return colVal(out), err
	}
}

func npSign(f float64) float64 {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return f
}

func signOf(m *machine, a *args) (val, error) {
	if len(a.pos) == 1 && a.pos[0].k == kColumn && a.pos[0].col().dt.isInt() {
		c := a.pos[0].col()
		out := m.mem.like(c)
		for i, x := range c.ints {
			out.ints[i] = int64(cmpInt(x, 0))
		}
		return colVal(out), nil
	}
	return ufunc("np.sign", npSign)(m, a)
}

// whole is floor, ceil, trunc or rint, which keep integers.
func whole(name string, fn func(float64) float64) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if len(a.pos) == 1 && a.pos[0].k == kColumn && a.pos[0].col().dt.isInt() && name != "np.rint" {
			return colVal(m.mem.clone(a.pos[0].col())), nil
		}
		if len(a.pos) == 1 && a.pos[0].k == kInt && name != "np.rint" {
			return val{k: kInt, w: dInt64, i: a.pos[0].i}, nil
		}
		return ufunc(name, fn)(m, a)
	}
}
