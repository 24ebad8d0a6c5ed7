package transform

import "slices"

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
	case "values":
		return m.matrix(f)
	case "T", "iloc", "iat", "at", "dtypes", "size", "ndim", "axes", "attrs", "flags":
		return val{}, outside("attribute '%s' of a DataFrame is not supported", name)
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
		if err := c.plain("this use"); err != nil {
			return val{}, err
		}
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
	return m.frameAligned(op, a, b)
}

// frameAligned is an operator on a DataFrame and a list with one number for each column,
// or on two DataFrames with the same columns.
func (m *machine) frameAligned(op string, a, b val) (val, error) {
	f, ok := a.ref.(*frame)
	if a.k != kFrame || !ok || f.rows < 0 {
		return val{}, outside("operator %s of a %s and a %s is not supported; write it for columns", op, a.typeName(), b.typeName())
	}
	var others []val
	switch {
	case b.k == kFrame && slices.Equal(b.ref.(*frame).names, f.names):
		for _, c := range b.ref.(*frame).cols {
			others = append(others, colVal(c))
		}
	case b.isSequence() && len(b.ref.(*list).items) == len(f.cols) && onlyNumbers(b.ref.(*list).items):
		others = b.ref.(*list).items
	default:
		return val{}, outside("operator %s of a DataFrame and a %s is not supported; write it for columns", op, b.typeName())
	}
	i := -1
	return m.frameMap(a, func(c *column) (*column, error) {
		i++
		out, err := m.binary(op, colVal(c), others[i])
		return out.col(), err
	})
}

// onlyNumbers reports whether all values are numbers of Python.
func onlyNumbers(all []val) bool {
	return !slices.ContainsFunc(all, func(v val) bool { return v.w != dNone || v.k != kInt && v.k != kFloat })
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
	f := v.ref.(*frame).copy()
	for i, c := range f.cols {
		f.cols[i] = m.mem.clone(c)
	}
	return val{k: kFrame, ref: f}, nil
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
