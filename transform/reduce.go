package transform

import (
	"math"
	"slices"
)

// reduction is a method that makes one value of a column: sum, mean and so on. It
// skips nulls, as pandas does; arrays of NumPy do not.
func reduction(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 0, "axis", "skipna"); err != nil {
			return val{}, err
		}
		if skip, ok := a.get(-1, "skipna"); ok && (skip.k != kBool || skip.i == 0) {
			return val{}, outside("skipna=False is not supported")
		}
		return m.reduce(name, v.col())
	}
}

func (m *machine) reduce(name string, c *column) (val, error) {
	if c.dt == dObject || c.dt == dTime || c.dt == dDelta {
		return m.reduceOthers(name, c)
	}
	switch name {
	case "count":
		return countOf(c), nil
	case "any", "all":
		return anyOf(c, name == "all"), nil
	}
	if c.dt.isFloat() {
		return m.reduceFloats(name, c)
	}
	return m.reduceInts(name, c)
}

func countOf(c *column) val {
	n := int64(0)
	for i := range c.n {
		n += boolVal(!c.isNull(i)).i
	}
	return val{k: kInt, w: dInt64, i: n}
}

// anyOf is any, or all. A null is skipped, except in an array, where it is true.
func anyOf(c *column, all bool) val {
	for i := range c.n {
		if c.isNull(i) && !c.array {
			continue
		}
		if nonzero(c, i) != all {
			return val{k: kBool, w: dBool, i: boolVal(!all).i}
		}
	}
	return val{k: kBool, w: dBool, i: boolVal(all).i}
}

func nonzero(c *column, i int) bool {
	if c.dt.isFloat() {
		return c.floats[i] != 0
	}
	return c.ints[i] != 0
}

func (m *machine) reduceOthers(name string, c *column) (val, error) {
	if name == "count" {
		return countOf(c), nil
	}
	if c.dt == dObject && allNull(c) {
		switch name {
		case "sum":
			return intVal(0), nil
		case "mean", "min", "max", "median":
			return floatVal(math.NaN()), nil
		}
	}
	return val{}, &failure{text: name + "() of a column of " + c.dt.String() + " is not supported; convert it first", outside: true, data: c.dt == dObject}
}

func (m *machine) reduceInts(name string, c *column) (val, error) {
	switch name {
	case "sum":
		total := int64(0)
		for _, x := range c.ints {
			total += x
		}
		return val{k: kInt, w: dInt64, i: total}, nil
	case "min", "max":
		if c.n == 0 {
			if c.array {
				return val{}, valueError("zero-size array to reduction operation which has no identity")
			}
			return val{k: kFloat, f: math.NaN()}, nil
		}
		out := slices.Min(c.ints)
		if name == "max" {
			out = slices.Max(c.ints)
		}
		if c.dt == dBool {
			return val{k: kBool, w: dBool, i: out}, nil
		}
		return val{k: kInt, w: c.dt, i: out}, nil
	}
	wide := m.mem.column(dFloat64, c.n)
	for i, x := range c.ints {
		wide.floats[i] = float64(x)
	}
	wide.array = c.array
	return m.reduceFloats(name, wide)
}

func (m *machine) reduceFloats(name string, c *column) (val, error) {
	if c.dt == dFloat32 {
		return val{}, outside("%s() of a float32 column is not supported; convert it to float64 first", name)
	}
	x := m.mem.floats.take(c.n)[:0]
	zeros := m.mem.floats.take(c.n)
	for i, f := range c.floats {
		zeros[i] = f
		if f == f || c.array {
			x = append(x, f)
		} else {
			zeros[i] = 0
		}
	}
	n := float64(len(x))
	out := math.NaN()
	switch name {
	case "sum":
		out = pairs(zeros)
	case "mean":
		out = pairs(zeros) / n
	case "min", "max":
		out = extreme(x, name == "max")
	case "median":
		out = median(x)
	}
	return val{k: kFloat, w: dFloat64, f: out}, nil
}

func extreme(x []float64, largest bool) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	out := x[0]
	for _, f := range x[1:] {
		if f != f {
			return f
		}
		if largest && f > out || !largest && f < out {
			out = f
		}
	}
	return out
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// pairwise sums as NumPy does: in eight parts, and in halves of long arrays.
func pairwise(x []float64) float64 {
	n := len(x)
	if n < 8 {
		out := math.Copysign(0, -1)
		for _, f := range x {
			out += f
		}
		if n == 0 {
			return 0
		}
		return out
	}
	if n <= 128 {
		var r [8]float64
		copy(r[:], x)
		i := 8
		for ; i < n-n%8; i += 8 {
			for j := range r {
				r[j] += x[i+j]
			}
		}
		out := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
		for ; i < n; i++ {
			out += x[i]
		}
		return out
	}
	half := n / 2
	half -= half % 8
	return pairwise(x[:half]) + pairwise(x[half:])
}

// allNull reports whether a column of objects has nothing but nulls.
func allNull(c *column) bool {
	for i := range c.objs {
		if !c.objs[i].null() {
			return false
		}
	}
	return true
}
