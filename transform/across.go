package transform

import (
	"math"
	"slices"
)

// acrossColumns reports whether the argument axis is 1 or "columns".
func acrossColumns(a *args) bool {
	axis, _ := a.get(-1, "axis")
	return axis.k == kInt && axis.i == 1 || axis.k == kText && axis.s == "columns"
}

// frameReduce is sum, mean, min, max, any or all across columns: axis=1.
func frameReduce(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 0, "axis", "skipna", "ddof"); err != nil {
			return val{}, err
		}
		ddof, err := freedom(a, 1)
		if err != nil {
			return val{}, err
		}
		if !acrossColumns(a) {
			return val{}, outside("%s() of a DataFrame is supported with axis=1 only", name)
		}
		if skip, ok := a.get(-1, "skipna"); ok && (skip.k != kBool || skip.i == 0) {
			return val{}, outside("skipna=False is not supported")
		}
		f := v.ref.(*frame)
		if f == m.inputs {
			return val{}, outside("%s() across all inputs is not supported; name the columns", name)
		}
		if name == "std" || name == "var" {
			return m.acrossDeviation(name, f, ddof)
		}
		out, err := m.across(name, f)
		if err != nil {
			return val{}, err
		}
		return colVal(out), nil
	}
}

func (m *machine) across(name string, f *frame) (*column, error) {
	if len(f.cols) == 0 {
		return nil, outside("%s() across no columns is not supported", name)
	}
	if err := f.plain(name); err != nil {
		return nil, err
	}
	if name != "any" && name != "all" && name != "median" && slices.ContainsFunc(f.cols, func(c *column) bool { return c.dt == dObject && allNull(c) }) {
		return m.acrossObjects(name, f)
	}
	dt, err := acrossType(name, f)
	switch {
	case err != nil:
		return nil, err
	case name == "any" || name == "all":
		return m.acrossBools(name == "all", f), nil
	case name == "mean" || name == "median" || dt.isFloat():
		return m.acrossFloats(name, f), nil
	case name == "sum":
		dt = dInt64
	}
	return m.acrossInts(name, f, dt), nil
}

// plain refuses columns of an extension type.
func (f *frame) plain(name string) error {
	for _, c := range f.cols {
		if err := c.plain(name + "() across columns"); err != nil {
			return err
		}
	}
	return nil
}

// acrossType is the type that holds the values of all columns of numbers.
func acrossType(name string, f *frame) (dtype, error) {
	dt := f.cols[0].dt
	for _, c := range f.cols {
		if !c.dt.isNumber() || c.dt == dFloat32 {
			return 0, &failure{text: name + "() across columns of " + c.dt.String() + " is not supported; convert them by .astype(float)", outside: true, data: true}
		}
		if (c.dt == dBool) != (dt == dBool) {
			return 0, outside("%s() across bools and numbers is not supported; convert the bools", name)
		}
		dt = promote(dt, c.dt)
	}
	return dt, nil
}

func (m *machine) acrossInts(name string, f *frame, dt dtype) *column {
	out := m.mem.column(dt, f.rows)
	for i := range out.ints {
		x := f.cols[0].ints[i]
		for _, c := range f.cols[1:] {
			switch name {
			case "sum":
				x += c.ints[i]
			case "min":
				x = min(x, c.ints[i])
			default:
				x = max(x, c.ints[i])
			}
		}
		out.ints[i] = x
	}
	return out
}

// acrossObjects computes with values of Python, for columns that hold only nulls
// beside others.
func (m *machine) acrossObjects(name string, f *frame) (*column, error) {
	out := m.mem.column(dObject, f.rows)
	for i := range out.objs {
		best, n := val{}, 0
		for _, c := range f.cols {
			v := c.python(i)
			switch {
			case v.null():
				continue
			case !v.isNumber():
				return nil, &failure{class: "TypeError", text: name + "() across columns of texts is not supported", data: true}
			}
			n++
			switch {
			case n == 1:
				best = v
			case name == "sum" || name == "mean":
				var err error
				if best, err = scalarBinary("+", best, v); err != nil {
					return nil, err
				}
			case compareNumbers("<", v, best) == (name == "min"):
				best = v
			}
		}
		switch {
		case n > 0 && name == "mean":
			best = floatVal(best.float() / float64(n))
		case n == 0 && name == "sum":
			best = intVal(0)
		case n == 0:
			best = floatVal(math.NaN())
		}
		out.objs[i] = best
	}
	return out, nil
}

func (m *machine) acrossBools(all bool, f *frame) *column {
	out := m.mem.column(dBool, f.rows)
	for i := range out.ints {
		is := all
		for _, c := range f.cols {
			if !c.isNull(i) && nonzero(c, i) != all {
				is = !all
				break
			}
		}
		out.ints[i] = boolVal(is).i
	}
	return out
}

func (m *machine) acrossFloats(name string, f *frame) *column {
	cols := make([][]float64, len(f.cols))
	null := false
	for i, c := range f.cols {
		cols[i] = m.floats(operandOf(colVal(c)))
		for j := range c.n {
			null = null || c.isNull(j)
		}
	}
	x, filled := m.mem.floats.take(len(cols)), m.mem.floats.take(len(cols))
	out := m.mem.column(dFloat64, f.rows)
	for i := range out.floats {
		n, sum := present(x, cols, i)
		if f.rows == 1 || null {
			sum = pairSum(filled, cols, i)
		}
		switch name {
		case "sum":
			out.floats[i] = sum
		case "mean":
			out.floats[i] = sum / float64(n)
		case "median":
			out.floats[i] = median(x[:n])
		default:
			out.floats[i] = extreme(x[:n], name == "max")
		}
		if n == 0 && name != "sum" {
			out.floats[i] = math.NaN()
		}
	}
	return out
}

// present fills x with the values of a row that are not null; it returns their
// number and their sum from left to right.
func present(x []float64, cols [][]float64, row int) (n int, sum float64) {
	for _, c := range cols {
		if v := c[row]; v == v {
			x[n] = v
			sum += v
			n++
		}
	}
	return n, sum
}

// pairSum is the sum of a row in pairs. NumPy sums so where a row is contiguous:
// where it is the only one, and where pandas has copied the rows to replace nulls
// by zeros.
func pairSum(x []float64, cols [][]float64, row int) float64 {
	clear(x)
	for i, c := range cols {
		if v := c[row]; v == v {
			x[i] = v
		}
	}
	return pairs(x)
}

// acrossDeviation is std or var across columns. pandas copies floats before it sums them,
// so that their rows are contiguous; integers are summed column by column.
func (m *machine) acrossDeviation(name string, f *frame, ddof int64) (val, error) {
	if len(f.cols) == 0 {
		return val{}, outside("%s() across no columns is not supported", name)
	}
	if err := f.plain(name); err != nil {
		return val{}, err
	}
	dt, err := acrossType(name, f)
	if err != nil {
		return val{}, err
	}
	add := pairs
	if !dt.isFloat() && f.rows != 1 {
		add = inTurn
	}
	cols := make([][]float64, len(f.cols))
	for i, c := range f.cols {
		cols[i] = m.floats(operandOf(colVal(c)))
	}
	row := m.mem.floats.take(len(cols))
	out := m.mem.column(dFloat64, f.rows)
	for i := range out.floats {
		for j, c := range cols {
			row[j] = c[i]
		}
		out.floats[i] = rooted(name, m.variance(row, false, ddof, add))
	}
	return colVal(out), nil
}
