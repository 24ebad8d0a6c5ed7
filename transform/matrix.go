package transform

import "math"

// A matrix (kMatrix) is an array of two dimensions: the values of a DataFrame, which
// NumPy reduces row by row.

// matrix is the values of a DataFrame.
func (m *machine) matrix(f *frame) (val, error) {
	if f == m.inputs {
		return val{}, outside("the values of all inputs are not supported; name the columns")
	}
	if len(f.cols) == 0 {
		return val{}, outside("the values of no columns are not supported")
	}
	for _, c := range f.cols {
		if !c.dt.isNumber() || c.dt == dBool || c.dt == dFloat32 || c.ext != extNone {
			return val{}, &failure{text: "the values of a DataFrame with a column of " + c.dt.String() + " are not supported; convert it by .astype(float)", outside: true, data: true}
		}
	}
	return val{k: kMatrix, ref: f}, nil
}

// reduceRows reduces each row of a matrix: axis=1.
func (m *machine) reduceRows(name string, v val, a *args, ddof int64) (val, error) {
	axis, _ := a.get(-1, "axis")
	if len(a.pos) == 2 {
		axis = a.pos[1]
	}
	if axis.k != kInt || axis.i != 1 {
		return val{}, outside("%s() of an array of two dimensions is supported with axis=1 only", name)
	}
	f := v.ref.(*frame)
	dt := f.cols[0].dt
	for _, c := range f.cols {
		dt = promote(dt, c.dt)
	}
	if dt.isInt() && (name == "sum" || name == "min" || name == "max") {
		if name == "sum" {
			dt = dInt64
		}
		out := m.acrossInts(name, f, dt)
		out.array = true
		return colVal(out), nil
	}
	add := inTurn // NumPy adds column by column
	if f.rows == 1 {
		add = pairs
	}
	cols := make([][]float64, len(f.cols))
	for i, c := range f.cols {
		cols[i] = m.floats(operandOf(colVal(c)))
	}
	row := m.mem.floats.take(len(cols))
	out := m.mem.column(dFloat64, f.rows)
	out.array = true
	for i := range out.floats {
		if err := m.step(); err != nil {
			return val{}, err
		}
		for j, c := range cols {
			row[j] = c[i]
		}
		out.floats[i] = m.reduceRow(name, row, add, ddof)
	}
	return colVal(out), nil
}

func (m *machine) reduceRow(name string, row []float64, add func([]float64) float64, ddof int64) float64 {
	switch name {
	case "sum":
		return add(row)
	case "mean":
		return add(row) / float64(len(row))
	case "std", "var":
		return rooted(name, m.variance(row, true, ddof, add))
	case "median":
		for _, f := range row {
			if f != f {
				return f
			}
		}
		return median(row)
	}
	return extreme(row, name == "max")
}

// matrixReduce is a method of a matrix.
func matrixReduce(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 1, "axis", "ddof"); err != nil {
			return val{}, err
		}
		ddof, err := freedom(a, 0)
		if err != nil {
			return val{}, err
		}
		return m.reduceRows(name, v, &args{pos: append([]val{v}, a.pos...), names: a.names, named: a.named}, ddof)
	}
}

// matrixItem is matrix[:, n], a column.
func matrixItem(f *frame, key val) (val, error) {
	parts, ok := key.ref.(*list)
	if key.k != kTuple || !ok || len(parts.items) != 2 || parts.items[0].k != kSlice || parts.items[0].ref != nil {
		return val{}, outside("an item of an array of two dimensions is supported as [:, n] only")
	}
	i, err := position(parts.items[1], len(f.cols))
	if err != nil {
		return val{}, err
	}
	out := *f.cols[i]
	for _, c := range f.cols {
		if c.dt != out.dt {
			return val{}, outside("an item of an array of columns of several types is not supported; use the column")
		}
	}
	out.array = true
	return colVal(&out), nil
}

// npNew is numpy.zeros, ones or full with a number of elements.
func npNew(name string, fill val) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2, "shape", "dtype", "fill_value"); err != nil {
			return val{}, err
		}
		n, err := m.sizeOf(name, a)
		if err != nil {
			return val{}, err
		}
		v := fill
		switch {
		case fill.k != kNone && len(a.pos) > 1:
			return val{}, outside("%s() is supported with a number of elements", name)
		case fill.k == kNone:
			if v, _ = a.get(1, "fill_value"); !v.isNumber() && v.k != kText {
				return val{}, outside("%s() with a %s is not supported", name, v.typeName())
			}
		}
		out, err := m.repeated(v, n)
		if err != nil {
			return val{}, err
		}
		if t, ok := a.get(-1, "dtype"); ok {
			if out, err = m.astype(out, t); err != nil {
				return val{}, err
			}
		}
		out.array = true
		return colVal(out), nil
	}
}

// sizeOf is the number of elements of a new array.
func (m *machine) sizeOf(name string, a *args) (int, error) {
	n, _ := a.get(0, "shape")
	if l, ok := n.ref.(*list); ok && len(l.items) == 1 {
		n = l.items[0]
	}
	if n.k != kInt {
		return 0, outside("%s() is supported with a number of elements", name)
	}
	if n.i < 0 || n.i > stepsPerRun+int64(m.rows) {
		return 0, tooMuch("%s() of %d elements is not supported", name, n.i)
	}
	return int(n.i), nil
}

// ufunc2 is a function of NumPy of two columns or numbers, as floats.
func ufunc2(name string, fn func(x, y float64) float64) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		x, y := operandOf(a.pos[0]), operandOf(a.pos[1])
		for _, o := range []operand{x, y} {
			if !o.dt.isNumber() || o.dt == dBool || o.dt == dFloat32 || o.dt.isInt() && o.dt.bits() < 32 {
				return val{}, &failure{class: "TypeError", text: name + "() of " + x.dt.String() + " and " + y.dt.String() + " is not supported; convert them to float64 first", outside: o.dt.isNumber(), data: o.dt == dObject}
			}
		}
		if x.c == nil && y.c == nil {
			return val{k: kFloat, w: dFloat64, f: fn(x.v.float(), y.v.float())}, nil
		}
		n, err := rowsOf(x, y)
		if err != nil {
			return val{}, err
		}
		p, sp := step(m.floats(x), x)
		q, sq := step(m.floats(y), y)
		out := m.mem.column(dFloat64, n)
		out.array = x.isArray() && y.isArray()
		for i := range out.floats {
			out.floats[i] = fn(p[i*sp], q[i*sq])
		}
		return colVal(out), nil
	}
}

// mathFunc2 is a function of math of two numbers.
func mathFunc2(name string, fn func(x, y float64) float64) function1 {
	return func(_ *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		x, y := a.pos[0], a.pos[1]
		if !x.isNumber() || !y.isNumber() {
			return val{}, &failure{class: "TypeError", text: name + "() must be given real numbers", data: x.null() || y.null()}
		}
		out := fn(x.float(), y.float())
		switch {
		case name == "math.fmod" && out != out && x.float() == x.float() && y.float() == y.float():
			return val{}, valueError("math domain error in math.fmod")
		case math.IsInf(out, 0) && !math.IsInf(x.float(), 0) && !math.IsInf(y.float(), 0):
			return val{}, &failure{class: "OverflowError", text: "math range error in " + name, data: true}
		}
		return floatVal(out), nil
	}
}
