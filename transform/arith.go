package transform

import "math"

// binary is an operator on any two values.
func (m *machine) binary(op string, a, b val) (val, error) {
	switch {
	case a.k == kBig && op == "%":
		return bigMod(a, b)
	case a.extended() || b.extended():
		return val{}, outside("operator %s of a %s and a %s is not supported", op, a.typeName(), b.typeName())
	case a.k == kColumn && (b.k == kColumn || b.isScalar()), b.k == kColumn && a.isScalar():
		return m.columnBinary(op, a, b)
	case a.k == kFrame || b.k == kFrame:
		return m.frameBinary(op, a, b)
	case (a.k == kList || b.k == kList) && (a.k == kColumn || b.k == kColumn):
		return val{}, outside("operators on a column and a list are not supported; use pd.Series(list)")
	}
	return scalarBinary(op, a, b)
}

// operand is a side of an operator on columns: a column, or a scalar that counts
// for each row.
type operand struct {
	v    val
	c    *column // nil for a scalar
	dt   dtype
	weak bool
}

func operandOf(v val) operand {
	if c := v.col(); v.k == kColumn {
		return operand{v, c, c.dt, false}
	}
	dt, weak := scalarType(v)
	return operand{v, nil, dt, weak}
}

func (o operand) at(i int) val {
	if o.c != nil {
		return o.c.python(i)
	}
	return o.v
}

// isArray reports whether an operand leaves the result an array of NumPy.
func (o operand) isArray() bool { return o.c == nil || o.c.array }

// rowsOf is the number of rows of an operator's result.
func rowsOf(a, b operand) (int, error) {
	switch {
	case a.c == nil:
		return b.c.n, nil
	case b.c == nil || a.c.n == b.c.n:
		return a.c.n, nil
	}
	return 0, valueError("columns of %d and %d rows do not fit", a.c.n, b.c.n)
}

func (m *machine) columnBinary(op string, av, bv val) (val, error) {
	a, b := operandOf(av), operandOf(bv)
	n, err := rowsOf(a, b)
	if err != nil {
		return val{}, err
	}
	out, err := m.arithmetic(op, a, b, n)
	if err != nil {
		return val{}, err
	}
	out.array = a.isArray() && b.isArray()
	return colVal(out), nil
}

func (m *machine) arithmetic(op string, a, b operand, n int) (*column, error) {
	if a.timed() || b.timed() {
		return m.timeBinary(op, a, b, n)
	}
	if op == "&" || op == "|" || op == "^" {
		return m.logical(op, a, b, n)
	}
	if a.dt == dObject || b.dt == dObject {
		return m.objectBinary(op, a, b, n)
	}
	dt := common(a.dt, b.dt, a.weak, b.weak)
	for _, o := range []operand{a, b} {
		if err := weakFits(dt, o.v, o.weak); err != nil {
			return nil, err
		}
	}
	switch {
	case dt == dBool:
		return m.boolColumns(op, a, b, n)
	case op == "/" && !dt.isFloat():
		return m.floatColumns(op, dFloat64, a, b, n)
	case dt.isFloat():
		return m.floatColumns(op, dt, a, b, n)
	}
	return m.intColumns(op, dt, a, b, n)
}

// timed reports whether an operand is a time or a duration.
func (o operand) timed() bool { return o.dt == dTime || o.dt == dDelta || o.v.k == kNaT }

// floats gives an operand's elements as floats; a scalar has one element.
func (m *machine) floats(o operand) []float64 {
	if o.c == nil {
		out := m.mem.floats.take(1)
		out[0] = o.v.float()
		return out
	}
	if o.dt.isFloat() {
		return o.c.floats
	}
	out := m.mem.floats.take(o.c.n)
	for i, v := range o.c.ints {
		out[i] = float64(v)
	}
	return out
}

// ints gives an operand's elements as integers; a scalar has one element.
func (m *machine) ints(o operand) []int64 {
	if o.c == nil {
		out := m.mem.ints.take(1)
		out[0] = o.v.i
		return out
	}
	return o.c.ints
}

// step is the distance between the elements of two rows: 0 for a scalar.
func step[T any](s []T, o operand) ([]T, int) {
	if o.c == nil {
		return s, 0
	}
	return s, 1
}

func (m *machine) boolColumns(op string, a, b operand, n int) (*column, error) {
	x, sx := step(m.ints(a), a)
	y, sy := step(m.ints(b), b)
	out := m.mem.column(dBool, n)
	for i := range out.ints {
		v, err := boolArith(op, val{i: x[i*sx]}, val{i: y[i*sy]})
		if err != nil {
			return nil, err
		}
		out.ints[i] = v.i
	}
	if n == 0 {
		_, err := boolArith(op, val{}, val{})
		return out, err
	}
	return out, nil
}

func (m *machine) floatColumns(op string, dt dtype, a, b operand, n int) (*column, error) {
	x, sx := step(m.floats(a), a)
	y, sy := step(m.floats(b), b)
	out := m.mem.column(dt, n)
	if dt == dFloat32 {
		x, y = m.float32s(x, a), m.float32s(y, b)
	} else if quickFloats(op, out.floats, x, y, sx, sy) {
		return out, nil
	}
	single := op == "**" && dt == dFloat64 && b.c == nil
	for i := range out.floats {
		if single {
			out.floats[i] = power(x[i*sx], y[0])
			continue
		}
		v, err := floatArith(op, dt, x[i*sx], y[i*sy])
		if err != nil {
			return nil, err
		}
		out.floats[i] = v
	}
	return out, nil
}

// quickFloats computes the operators that need nothing but the processor.
func quickFloats(op string, out, x, y []float64, sx, sy int) bool {
	switch op {
	case "+":
		for i := range out {
			out[i] = x[i*sx] + y[i*sy]
		}
	case "-":
		for i := range out {
			out[i] = x[i*sx] - y[i*sy]
		}
	case "*":
		for i := range out {
			out[i] = x[i*sx] * y[i*sy]
		}
	case "/":
		for i := range out {
			out[i] = x[i*sx] / y[i*sy]
		}
	default:
		return false
	}
	return true
}

// float32s rounds a scalar to float32, as NumPy does before it computes.
func (m *machine) float32s(x []float64, o operand) []float64 {
	if o.c == nil {
		x[0] = float64(float32(x[0]))
	}
	return x
}

func (m *machine) intColumns(op string, dt dtype, a, b operand, n int) (*column, error) {
	x, sx := step(m.ints(a), a)
	y, sy := step(m.ints(b), b)
	out := m.mem.column(dt, n)
	zero := false
	for i := range out.ints {
		d := y[i*sy]
		v, err := intArith(op, dt, x[i*sx], d)
		if err != nil {
			return nil, err
		}
		zero = zero || d == 0
		out.ints[i] = v
	}
	if zero && (op == "//" || op == "%") && (!a.isArray() || !b.isArray()) {
		return m.divided(op, x, y, sx, sy, out), nil
	}
	return out, nil
}

// divided is pandas' result of // and % on integers if there are zeros among the
// divisors: floats with inf and NaN.
func (m *machine) divided(op string, x, y []int64, sx, sy int, ints *column) *column {
	out := m.mem.column(dFloat64, ints.n)
	for i := range out.floats {
		out.floats[i] = float64(ints.ints[i])
		if y[i*sy] != 0 {
			continue
		}
		out.floats[i] = math.NaN()
		if op == "//" && x[i*sx] != 0 {
			out.floats[i] = math.Inf(cmpInt(x[i*sx], 0))
		}
	}
	return out
}

// objectBinary is an operator of Python on each row. If one of them raises
// TypeError, rows with a null become NaN, as in pandas.
func (m *machine) objectBinary(op string, a, b operand, n int) (*column, error) {
	out := m.mem.column(dObject, n)
	var first error
	for i := range out.objs {
		v, err := scalarBinary(op, a.at(i), b.at(i))
		if f, ok := err.(*failure); ok && f.class == "TypeError" { //nolint:errorlint // made by scalarBinary itself, never wrapped
			first = err
			break
		}
		if err == nil {
			err = m.grow(v)
		}
		if err != nil {
			return nil, err
		}
		out.objs[i] = v
	}
	if first == nil {
		return out, nil
	}
	if a.isArray() && b.isArray() {
		return nil, first
	}
	for i := range out.objs {
		x, y := a.at(i), b.at(i)
		if x.null() || y.null() {
			out.objs[i] = floatVal(math.NaN())
			continue
		}
		v, err := scalarBinary(op, x, y)
		if err == nil {
			err = m.grow(v)
		}
		if err != nil {
			return nil, err
		}
		out.objs[i] = v
	}
	return out, nil
}

// logical is &, | or ^ on columns.
func (m *machine) logical(op string, a, b operand, n int) (*column, error) {
	if a.dt.isFloat() || b.dt.isFloat() {
		return nil, outside("operator %s on floats is not supported; compare them first", op)
	}
	if a.dt == dObject || b.dt == dObject {
		return nil, outside("operator %s on a column with nulls or objects is not supported; use .fillna(False).astype(bool) first", op)
	}
	dt := common(a.dt, b.dt, a.weak, b.weak)
	if a.dt != dBool && b.dt != dBool {
		return m.intColumns(op, dt, a, b, n)
	}
	if a.dt != b.dt {
		return nil, outside("operator %s on a bool and an integer is not supported; use bools", op)
	}
	return m.boolColumns(op, a, b, n)
}

// unary is an operator on any value.
func (m *machine) unary(op string, v val) (val, error) {
	if v.k == kFrame {
		return m.frameMap(v, func(c *column) (*column, error) { return m.columnUnary(op, c) })
	}
	if v.extended() {
		return val{}, outside("operator %s of a %s is not supported", op, v.typeName())
	}
	if v.k != kColumn {
		return scalarUnary(op, v)
	}
	out, err := m.columnUnary(op, v.col())
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

func (m *machine) columnUnary(op string, c *column) (*column, error) {
	switch {
	case op == "+":
		return m.mem.clone(c), nil
	case c.dt == dBool && op == "-":
		return nil, typeError("the numpy boolean negative, the `-` operator, is not supported")
	case c.dt == dTime:
		return nil, typeError("bad operand type for unary %s: a column of times", op)
	case op == "~" && c.dt != dBool && !c.dt.isInt():
		return nil, &failure{class: "TypeError", text: "bad operand type for unary ~: column of " + c.dt.String() + "; make it bool first", data: c.dt == dObject || c.dt.isFloat()}
	}
	out := m.mem.like(c)
	for i, x := range c.ints {
		switch {
		case c.dt == dBool:
			out.ints[i] = 1 - x
		case op == "~":
			out.ints[i] = c.dt.wrap(^x)
		default:
			out.ints[i] = c.dt.wrap(-x)
		}
	}
	for i, x := range c.floats {
		out.floats[i] = -x
	}
	for i, x := range c.objs {
		v, err := scalarUnary(op, x)
		if err != nil {
			return nil, err
		}
		out.objs[i] = v
	}
	return out, nil
}
