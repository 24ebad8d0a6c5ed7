package transform

import (
	"math"
	"slices"
)

// freedom reads ddof, which is 1 in pandas and 0 in NumPy.
func freedom(a *args, usual int64) (int64, error) {
	v, ok := a.get(-1, "ddof")
	if !ok {
		return usual, nil
	}
	if v.k != kInt {
		return 0, outside("ddof= other than an integer is not supported")
	}
	return v.i, nil
}

// deviation is std or var of a column.
func deviation(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 0, "axis", "skipna", "ddof"); err != nil {
			return val{}, err
		}
		if skip, ok := a.get(-1, "skipna"); ok && (skip.k != kBool || skip.i == 0) {
			return val{}, outside("skipna=False is not supported")
		}
		usual := int64(1)
		if v.col().array {
			usual = 0
		}
		ddof, err := freedom(a, usual)
		if err != nil {
			return val{}, err
		}
		return m.deviation(name, v.col(), ddof)
	}
}

func (m *machine) deviation(name string, c *column, ddof int64) (val, error) {
	switch {
	case c.dt == dObject && allNull(c):
		return floatVal(math.NaN()), nil
	case !c.dt.isNumber() || c.dt == dFloat32:
		return val{}, &failure{text: name + "() of a column of " + c.dt.String() + " is not supported; convert it to float64 first", outside: true, data: c.dt == dObject}
	}
	x := m.floats(operandOf(colVal(c)))
	return val{k: kFloat, w: dFloat64, f: rooted(name, m.variance(x, c.array, ddof, pairs))}, nil
}

func rooted(name string, variance float64) float64 {
	if name == "std" {
		return math.Sqrt(variance)
	}
	return variance
}

// variance is the variance of values, without nulls unless those count. The sums are
// made by add.
func (m *machine) variance(x []float64, nulls bool, ddof int64, add func([]float64) float64) float64 {
	y := m.mem.floats.take(len(x))
	n := int64(0)
	for i, f := range x {
		if y[i] = f; f == f || nulls {
			n++
		} else {
			y[i] = 0
		}
	}
	if !nulls && n <= ddof {
		return math.NaN()
	}
	mean := add(y) / float64(n)
	for i, f := range x {
		y[i] = (mean - f) * (mean - f)
		if f != f && !nulls {
			y[i] = 0
		}
	}
	return add(y) / float64(max(n-ddof, 0))
}

// pairs sums as NumPy does where values are contiguous.
func pairs(x []float64) float64 { return 0 + pairwise(x) }

// inTurn sums from left to right.
func inTurn(x []float64) float64 {
	sum := 0.0
	for _, f := range x {
		sum += f
	}
	return sum
}

// npDeviation is numpy.std or numpy.var of a list or column, or of the rows of an array
// of two dimensions.
func npDeviation(name string) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("np."+name+"()", 1, "axis", "ddof"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "np."+name+"()")
		}
		ddof, err := freedom(a, 0)
		if err != nil {
			return val{}, err
		}
		if a.pos[0].k == kMatrix {
			return m.reduceRows(name, a.pos[0], a, ddof)
		}
		v, err := m.flat(a.pos[0])
		if err != nil {
			return val{}, err
		}
		if v.k != kColumn {
			return val{}, outside("np.%s() of a %s is not supported", name, v.typeName())
		}
		return m.deviation(name, v.col(), ddof)
	}
}

// quantile is numpy.percentile with linear interpolation, of sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := float64(len(sorted)-1) * q
	low := int(math.Floor(at))
	x, y, t := sorted[low], sorted[min(low+1, len(sorted)-1)], at-math.Floor(at)
	if t >= 0.5 {
		return y - (y-x)*(1-t)
	}
	return x + (y-x)*t
}

// columnQuantile is quantile of one number.
func columnQuantile(m *machine, v val, a *args) (val, error) {
	if err := a.known("quantile()", 1, "q"); err != nil {
		return val{}, err
	}
	q, ok := a.get(0, "q")
	if !ok {
		q = floatVal(0.5)
	}
	return m.quantile("quantile()", v, q, 100, v.col().array)
}

// npQuantile is numpy.percentile or numpy.quantile; percent is 100 or 1.
func npQuantile(name string, percent float64) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(name+"()", 2, "a", "q"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, name+"()")
		}
		q, ok := a.get(1, "q")
		if !ok {
			return val{}, orMissing(nil, name+"()")
		}
		v, err := m.flat(a.pos[0])
		if err != nil {
			return val{}, err
		}
		if v.k != kColumn || !q.isNumber() || q.k == kBool {
			return val{}, outside("%s() of a %s with this q is not supported", name, v.typeName())
		}
		q = floatVal(q.float() / percent)
		return m.quantile(name+"()", v, q, 1, true)
	}
}

// quantile sorts the values of a column. pandas multiplies q by scale before NumPy divides
// by it.
func (m *machine) quantile(fn string, v, q val, scale float64, nulls bool) (val, error) {
	c := v.col()
	if !q.isNumber() || q.k == kBool || q.float() < 0 || q.float() > 1 {
		return val{}, outside("%s is supported with one number within its range", fn)
	}
	if c.dt == dBool || c.dt == dFloat32 || !c.dt.isNumber() {
		return val{}, &failure{text: fn + " of a column of " + c.dt.String() + " is not supported; convert it to float64 first", outside: true, data: c.dt == dObject}
	}
	x, err := m.quantiled(fn, v)
	if err != nil {
		return val{}, err
	}
	if nulls && len(x) < c.n {
		return val{k: kFloat, w: dFloat64, f: math.NaN()}, nil
	}
	if len(x) == 0 && nulls {
		return val{}, &failure{class: "IndexError", text: fn + " of an empty array", data: true}
	}
	slices.Sort(x)
	return val{k: kFloat, w: dFloat64, f: quantile(x, q.float()*scale/scale)}, nil
}

// quantiled are the values of a column that are not null.
func (m *machine) quantiled(fn string, v val) ([]float64, error) {
	x := m.mem.floats.take(v.col().n)[:0]
	for _, f := range m.floats(operandOf(v)) {
		if math.Abs(f) > 1<<53 && v.col().dt.isInt() {
			return nil, tooMuch("%s of integers beyond 2^53 is not supported", fn)
		}
		if f == f {
			x = append(x, f)
		}
	}
	return x, nil
}
