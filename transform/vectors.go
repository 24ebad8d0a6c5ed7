package transform

import (
	"math"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// itemDtype is the type that NumPy gives the items of a list; dNone for texts.
func itemDtype(t types.ValueType_Enum) dtype {
	switch t {
	case types.ValueType_INT32_LIST:
		return dInt32
	case types.ValueType_INT64_LIST:
		return dInt64
	case types.ValueType_FLOAT_LIST:
		return dFloat32
	case types.ValueType_DOUBLE_LIST:
		return dFloat64
	case types.ValueType_BOOL_LIST:
		return dBool
	}
	return dNone
}

// at is an item as NumPy gives it: a number of its type.
func (r *ndarray) at(i int) (val, error) {
	v := r.items[i]
	if r.dt == dNone && v.k == kText {
		return v, nil
	}
	if !v.isNumber() || r.dt == dNone {
		return val{}, outside("an item of an array that is a %s is not supported", v.typeName())
	}
	v.w = r.dt
	return v, nil
}

// all are the items as NumPy gives them.
func (r *ndarray) all() ([]val, error) {
	out := make([]val, len(r.items))
	for i := range out {
		var err error
		if out[i], err = r.at(i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// column is the array as a column.
func (m *machine) vector(r *ndarray) (*column, error) {
	if r.dt == dNone {
		return nil, outside("an array of texts is not supported here")
	}
	out := m.mem.column(r.dt, len(r.items))
	out.array = true
	for i, v := range r.items {
		if !v.isNumber() {
			return nil, tooMuch("an array with a null is not supported here")
		}
		out.put(i, v)
	}
	return out, nil
}

// flat makes a list, or an array in a column of lists, an array.
func (m *machine) flat(v val) (val, error) {
	if r, ok := v.ref.(*ndarray); ok {
		c, err := m.vector(r)
		return colVal(c), err
	}
	if !v.isSequence() {
		return v, nil
	}
	c, err := m.array(v)
	return colVal(c), err
}

// vectors are the two arguments of a product, as arrays of one length.
func (m *machine) vectors(fn string, pos []val) (x, y *column, err error) {
	for i, to := range []**column{&x, &y} {
		v, err := m.flat(pos[i])
		if err != nil {
			return nil, nil, err
		}
		if *to = v.col(); v.k != kColumn || !(*to).dt.isNumber() || (*to).dt == dBool {
			return nil, nil, &failure{class: "TypeError", text: fn + " of a " + v.typeName() + " is not supported", outside: !v.null(), data: v.null()}
		}
	}
	if x.n != y.n {
		return nil, nil, valueError("shapes (%d,) and (%d,) not aligned", x.n, y.n)
	}
	return x, y, nil
}

// npDot is numpy.dot, inner or vdot of two vectors. NumPy's result depends in its last bits on
// the processor; this is the exact one, rounded once.
func npDot(name string) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2); err != nil || len(a.pos) < 2 {
			return val{}, orMissing(err, name+"()")
		}
		x, y, err := m.vectors(name+"()", a.pos)
		if err != nil {
			return val{}, err
		}
		return m.dot(x, y), nil
	}
}

func (m *machine) dot(x, y *column) val {
	dt := promote(x.dt, y.dt)
	if !dt.isFloat() {
		sum := int64(0)
		for i := range x.ints {
			sum = dt.wrap(sum + x.ints[i]*y.ints[i])
		}
		return val{k: kInt, w: dt, i: sum}
	}
	out := dotOf(m.floats(operandOf(colVal(x))), m.floats(operandOf(colVal(y))))
	if dt == dFloat32 {
		out = float64(float32(out))
	}
	return val{k: kFloat, w: dt, f: out}
}

// dotOf is the sum of products with twice the precision, rounded once.
func dotOf(x, y []float64) float64 {
	sum, low := 0.0, 0.0
	for i, f := range x {
		p := f * y[i]
		e := math.FMA(f, y[i], -p)
		s := twoSum(sum, p)
		sum, low = s.hi, low+s.lo+e
	}
	if out := sum + low; out == out || sum != sum {
		return out
	}
	return sum // infinite
}

// npNorm is numpy.linalg.norm of a vector: the root of the sum of its squares.
func npNorm(m *machine, a *args) (val, error) {
	if err := a.known("np.linalg.norm()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.linalg.norm()")
	}
	x, _, err := m.vectors("np.linalg.norm()", []val{a.pos[0], a.pos[0]})
	if err != nil {
		return val{}, err
	}
	out := m.dot(x, x)
	if out.k == kInt {
		wide := m.floats(operandOf(colVal(x)))
		out = val{k: kFloat, w: dFloat64, f: dotOf(wide, wide)}
	}
	out.f = math.Sqrt(out.f)
	if out.w == dFloat32 {
		out.f = float64(float32(out.f))
	}
	return out, nil
}

// npVectorize is numpy.vectorize(f), a function that is called with the elements of arrays.
func npVectorize(_ *machine, a *args) (val, error) {
	if err := a.known("np.vectorize()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "np.vectorize()")
	}
	fn := a.pos[0]
	if fn.k != kLambda {
		return val{}, outside("np.vectorize() of a %s is not supported", fn.typeName())
	}
	return val{k: kNative, ref: &native{"np.vectorize()", func(m *machine, a *args) (val, error) { return m.vectorized(fn, a) }}}, nil
}

func (m *machine) vectorized(fn val, a *args) (val, error) {
	if len(a.names) > 0 || len(a.pos) == 0 {
		return val{}, outside("a function of np.vectorize() with named arguments is not supported")
	}
	pos, n := append([]val(nil), a.pos...), -1
	for _, v := range pos {
		if c := v.col(); v.k == kColumn {
			if n >= 0 && c.n != n {
				return val{}, valueError("operands of %d and %d rows could not be broadcast together", n, c.n)
			}
			n = c.n
		} else if !v.isScalar() {
			return val{}, outside("a function of np.vectorize() with a %s is not supported", v.typeName())
		}
	}
	if n < 1 {
		return val{}, &failure{text: "a function of np.vectorize() is supported with columns that have rows", outside: true, data: n == 0}
	}
	out := make([]val, n)
	for i := range out {
		row := &args{pos: make([]val, len(pos))}
		for j, v := range pos {
			if row.pos[j] = v; v.k == kColumn {
				row.pos[j] = v.col().python(i)
			}
		}
		x, err := m.invoke(fn, row)
		if err != nil {
			return val{}, err
		}
		out[i] = x
	}
	return m.vectorizedOf(out)
}

// vectorizedOf makes an array of results, whose type is that of the first, as in NumPy.
func (m *machine) vectorizedOf(all []val) (val, error) {
	first := all[0]
	for i, v := range all {
		if v.k != first.k && (v.k != kInt || first.k != kFloat) || v.k != kText && !v.isNumber() {
			return val{}, tooMuch("np.vectorize() to values of several types is not supported; it takes the type of the first")
		}
		all[i].w = dNone
	}
	if first.k == kFloat && first.w == dFloat32 {
		return val{}, outside("np.vectorize() to float32 is not supported")
	}
	c, err := m.fromList(all)
	if err != nil {
		return val{}, err
	}
	c.array = true
	return colVal(c), nil
}

// frameIterrows is iterrows of a DataFrame: pairs of a number and a row.
func frameIterrows(m *machine, v val, a *args) (val, error) {
	if v.k != kFrame {
		return val{}, noAttribute(v, "iterrows")
	}
	f := v.ref.(*frame)
	dt := m.rowType(f)
	if dt == dNone {
		return val{}, outside("iterrows() over columns that are all times is not supported")
	}
	n := max(0, f.rows)
	numbers, rows := m.numbers(n), m.take(n)
	for i := range rows {
		rows[i] = val{k: kRow, ref: &row{f: f, i: i, dt: dt}}
	}
	return val{k: kIter, ref: &items{zip: []items{{list: numbers}, {list: rows}}}}, a.known("iterrows()", 0)
}
