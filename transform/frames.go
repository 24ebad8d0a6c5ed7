package transform

import (
	"math"
	"slices"
)

func (m *machine) frameItem(f *frame, key val) (val, error) {
	switch key.k {
	case kText:
		if i := f.find(key.s); i >= 0 {
			return colVal(f.cols[i]), nil
		}
		return val{}, keyError(key)
	case kList, kTuple:
		out := &frame{rows: f.rows}
		for _, k := range key.ref.(*list).items {
			i := -1
			if k.k == kText {
				i = f.find(k.s)
			}
			if i < 0 {
				return val{}, keyError(k)
			}
			out.names, out.cols = append(out.names, k.s), append(out.cols, f.cols[i])
		}
		return val{k: kFrame, ref: out}, nil
	}
	return val{}, outside("selecting rows of a DataFrame is not supported; use .where or np.where")
}

func (m *machine) locItem(f *frame, key val) (val, error) {
	if parts, ok := key.ref.(*list); ok && key.k == kTuple && len(parts.items) == 2 && parts.items[0].k == kSlice && parts.items[0].ref == nil {
		return m.frameItem(f, parts.items[1])
	}
	return val{}, outside("this use of .loc is not supported; use .loc[:, \"column\"]")
}

func (m *machine) frameAttribute(f *frame, name string) (val, error) {
	switch name {
	case "loc":
		return val{k: kLoc, ref: f}, nil
	case "empty":
		return boolVal(f.rows <= 0 || len(f.cols) == 0), nil
	case "index":
		if f.rows < 0 {
			return val{k: kRange, ref: &list{}}, nil
		}
		return val{k: kRange, ref: &list{m.numbers(f.rows)}}, nil
	case "columns":
		s, err := m.iterate(val{k: kFrame, ref: f})
		return listVal(s.list), err
	case "shape":
		return val{k: kTuple, ref: &list{[]val{intVal(int64(max(0, f.rows))), intVal(int64(len(f.cols)))}}}, nil
	}
	return val{}, &failure{class: "AttributeError", text: "the DataFrame has no column or attribute '" + name + "'"}
}

func (m *machine) numbers(n int) []val {
	out := m.take(n)
	for i := range out {
		out[i] = intVal(int64(i))
	}
	return out
}

// frameMap applies a function to each column.
func (m *machine) frameMap(v val, fn func(*column) (*column, error)) (val, error) {
	f := v.ref.(*frame)
	out := &frame{names: f.names, rows: f.rows}
	for _, c := range f.cols {
		x, err := fn(c)
		if err != nil {
			return val{}, err
		}
		out.cols = append(out.cols, x)
	}
	return val{k: kFrame, ref: out}, nil
}

// eachColumn makes a method of columns one of DataFrames.
func eachColumn(fn method) method {
	return func(m *machine, v val, a *args) (val, error) {
		return m.frameMap(v, func(c *column) (*column, error) {
			out, err := fn(m, colVal(c), a)
			return out.col(), err
		})
	}
}

func (m *machine) frameBinary(op string, a, b val) (val, error) {
	switch {
	case a.k == kFrame && b.isScalar():
		return m.frameMap(a, func(c *column) (*column, error) {
			out, err := m.columnBinary(op, colVal(c), b)
			return out.col(), err
		})
	case b.k == kFrame && a.isScalar():
		return m.frameMap(b, func(c *column) (*column, error) {
			out, err := m.columnBinary(op, a, colVal(c))
			return out.col(), err
		})
	}
	return val{}, outside("operators on whole DataFrames are not supported; write them for columns")
}

func frameAssign(m *machine, v val, a *args) (val, error) {
	if len(a.pos) > 0 {
		return val{}, typeError("assign() takes only named arguments")
	}
	f := v.ref.(*frame).copy()
	out := val{k: kFrame, ref: f}
	for i, name := range a.names {
		x := a.named[i]
		if x.k == kLambda {
			var err error
			if x, err = m.apply(x, out); err != nil {
				return val{}, err
			}
		}
		if err := m.setColumn(f, name, x); err != nil {
			return val{}, err
		}
	}
	return out, nil
}

func frameCopy(m *machine, v val, a *args) (val, error) {
	if err := a.known("copy()", 0, "deep"); err != nil {
		return val{}, err
	}
	return m.frameMap(v, func(c *column) (*column, error) { return m.mem.clone(c), nil })
}

func frameRename(_ *machine, v val, a *args) (val, error) {
	if err := a.known("rename()", 0, "columns"); err != nil {
		return val{}, err
	}
	by, _ := a.get(-1, "columns")
	d, ok := by.ref.(*dict)
	if !ok {
		return val{}, outside("rename() without a dict of columns is not supported")
	}
	f := v.ref.(*frame).copy()
	for i, n := range f.names {
		if j := d.find(textVal(n)); j >= 0 && d.values[j].k == kText {
			f.names[i] = d.values[j].s
		}
	}
	return val{k: kFrame, ref: f}, nil
}

func frameDrop(_ *machine, v val, a *args) (val, error) {
	if err := a.known("drop()", 1, "columns", "axis"); err != nil {
		return val{}, err
	}
	names, ok := a.get(-1, "columns")
	if !ok && acrossColumns(a) && len(a.pos) == 1 {
		names, ok = a.pos[0], true
	}
	if !ok {
		return val{}, outside("drop() is supported for columns only")
	}
	all := []val{names}
	if names.isSequence() {
		all = names.ref.(*list).items
	}
	out := v.ref.(*frame).copy()
	for _, n := range all {
		i := -1
		if n.k == kText {
			i = out.find(n.s)
		}
		if i < 0 {
			return val{}, keyError(n)
		}
		out.names, out.cols = slices.Delete(out.names, i, i+1), slices.Delete(out.cols, i, i+1)
	}
	return val{k: kFrame, ref: out}, nil
}

// acrossColumns reports whether the argument axis is 1 or "columns".
func acrossColumns(a *args) bool {
	axis, _ := a.get(-1, "axis")
	return axis.k == kInt && axis.i == 1 || axis.k == kText && axis.s == "columns"
}

func frameFillna(m *machine, v val, a *args) (val, error) {
	if err := a.known("fillna()", 1, "value"); err != nil {
		return val{}, err
	}
	with, ok := a.get(0, "value")
	d, isDict := with.ref.(*dict)
	if !ok || !isDict {
		return eachColumn(columnFillna)(m, v, a)
	}
	f := v.ref.(*frame).copy()
	for i, n := range f.names {
		j := d.find(textVal(n))
		if j < 0 {
			continue
		}
		c, err := m.fillna(f.cols[i], d.values[j])
		if err != nil {
			return val{}, err
		}
		f.cols[i] = c
	}
	return val{k: kFrame, ref: f}, nil
}

func frameAstype(m *machine, v val, a *args) (val, error) {
	if err := a.known("astype()", 1, "dtype", "copy"); err != nil {
		return val{}, err
	}
	t, _ := a.get(0, "dtype")
	d, isDict := t.ref.(*dict)
	if !isDict {
		return eachColumn(columnAstype)(m, v, a)
	}
	f := v.ref.(*frame).copy()
	for j, k := range d.keys {
		i := -1
		if k.k == kText {
			i = f.find(k.s)
		}
		if i < 0 {
			return val{}, keyError(k)
		}
		c, err := m.astype(f.cols[i], d.values[j])
		if err != nil {
			return val{}, err
		}
		f.cols[i] = c
	}
	return val{k: kFrame, ref: f}, nil
}

// frameReduce is sum, mean, min, max, any or all across columns: axis=1.
func frameReduce(name string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", 0, "axis", "skipna"); err != nil {
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
	for _, c := range f.cols {
		if c.dt == dObject && allNull(c) && name != "any" && name != "all" && name != "median" {
			return m.acrossObjects(name, f)
		}
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
	return pairwise(x)
}

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

func rowGet(m *machine, v val, a *args) (val, error) {
	if v.k != kRow {
		return val{}, outside("get() of a DataFrame is not supported; use df[\"column\"]")
	}
	key, _ := a.get(0, "key")
	if v.ref.(*row).f.find(key.s) < 0 || key.k != kText {
		out, _ := a.get(1, "default")
		return out, nil
	}
	return v.ref.(*row).get(key.s)
}
