package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

func (c *compiler) assign(s *syntax.Assign) action {
	value := c.expr(s.Value)
	binds := make([]func(*machine, val) error, len(s.Targets))
	for i, t := range s.Targets {
		binds[i] = c.target(t)
	}
	return func(m *machine) (flow, error) {
		v, err := value(m)
		for i := 0; i < len(binds) && err == nil; i++ {
			err = binds[i](m, v)
		}
		return next, err
	}
}

func (c *compiler) augment(s *syntax.Augment) action {
	old, value, bind, op, at := c.expr(s.Target), c.expr(s.Value), c.target(s.Target), s.Op, s.At()
	return func(m *machine) (flow, error) {
		a, err := old(m)
		if err != nil {
			return next, err
		}
		b, err := value(m)
		if err != nil {
			return next, err
		}
		v, err := m.binary(op, a, b)
		if err == nil {
			err = m.grow(v)
		}
		if err != nil {
			return next, place(err, at)
		}
		if a.k == kColumn {
			return next, place(inPlace(op, a, v), at)
		}
		return next, bind(m, v)
	}
}

// inPlace replaces the elements of a column, which other names and DataFrames may
// hold, too.
func inPlace(op string, a, v val) error {
	old, c := a.col(), v.col()
	switch {
	case c == nil || c.n != old.n || old.array && c.dt != old.dt:
		return outside("%s= that changes the type of a column is not supported; write a = a %s b", op, op)
	case c.dt != old.dt:
		array := old.array
		*old = *c
		old.array = array
		return nil
	}
	copy(old.ints, c.ints)
	copy(old.floats, c.floats)
	copy(old.objs, c.objs)
	return nil
}

// target is code that binds a value to the target of an assignment.
func (c *compiler) target(e syntax.Expr) func(*machine, val) error {
	switch e := e.(type) {
	case *syntax.Name:
		slot := c.scope.slot(e.ID)
		return func(m *machine, v val) error {
			m.vars[m.base+slot] = v
			return nil
		}
	case *syntax.Sequence:
		return c.unpack(e)
	case *syntax.Index:
		return c.setItem(e)
	}
	c.bad(e.At(), "this target of an assignment is not supported")
	return func(*machine, val) error { return nil }
}

func (c *compiler) unpack(e *syntax.Sequence) func(*machine, val) error {
	binds := make([]func(*machine, val) error, len(e.Items))
	for i, t := range e.Items {
		binds[i] = c.target(t)
	}
	at := e.At()
	return func(m *machine, v val) error {
		items, err := m.iterate(v)
		if err == nil && items.len() != len(binds) {
			err = &failure{class: "ValueError", text: "the number of values to unpack is not " + itoa(int64(len(binds))), data: true}
		}
		if err != nil {
			return place(err, at)
		}
		for i, b := range binds {
			if err := b(m, items.at(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (c *compiler) setItem(e *syntax.Index) func(*machine, val) error {
	container, key, at := c.expr(e.Value), c.expr(e.Index), e.At()
	return func(m *machine, v val) error {
		to, err := container(m)
		if err != nil {
			return err
		}
		k, err := key(m)
		if err != nil {
			return err
		}
		return place(m.setItem(to, k, v), at)
	}
}

func (m *machine) setItem(to, key, v val) error {
	switch to.k {
	case kDict:
		if err := hashable(key); err != nil {
			return err
		}
		to.ref.(*dict).set(key, v)
		m.mem.used += 128
		return nil
	case kFrame:
		if key.k != kText {
			return outside("setting an item of a DataFrame other than a column by its name is not supported")
		}
		return m.setColumn(to.ref.(*frame), key.s, v)
	case kLoc:
		return m.setLoc(to.ref.(*frame), key, v)
	case kList:
		items := to.ref.(*list).items
		i, err := position(key, len(items))
		if err == nil {
			items[i] = v
		}
		return err
	}
	return outside("setting an item of a %s is not supported", to.typeName())
}

// maxColumns bounds the columns of a DataFrame.
const maxColumns = 4096

// setColumn sets a column of a DataFrame.
func (m *machine) setColumn(f *frame, name string, v val) error {
	c, err := m.asColumn(v, f.rows)
	if err != nil {
		return err
	}
	if f.rows < 0 {
		if v.k != kColumn && v.k != kExtension && !v.isSequence() {
			return outside("setting a single value as the first column of an empty DataFrame is not supported: the DataFrame has no rows")
		}
		f.rows = c.n
	}
	if c.n != f.rows {
		return valueError("a column of %d rows does not fit into a DataFrame of %d rows", c.n, f.rows)
	}
	if v.k == kColumn || v.k == kExtension {
		c = m.mem.clone(c)
	}
	c.array = false
	if len(f.cols) > maxColumns {
		return outside("more than %d columns are not supported", maxColumns)
	}
	f.set(name, c)
	return nil
}

func (v val) isSequence() bool { return v.k == kList || v.k == kTuple || v.k == kRange }

// setLoc is frame.loc[rows, name] = v.
func (m *machine) setLoc(f *frame, key, v val) error {
	parts, ok := key.ref.(*list)
	if key.k != kTuple || !ok || len(parts.items) != 2 || parts.items[1].k != kText {
		return outside(".loc other than .loc[rows, \"column\"] is not supported")
	}
	rows, name := parts.items[0], parts.items[1].s
	if rows.k == kSlice && rows.ref == nil {
		return m.setColumn(f, name, v)
	}
	mask := rows.col()
	if rows.k != kColumn || mask.dt != dBool {
		return outside(".loc needs a column of bools for the rows")
	}
	if mask.n != f.rows {
		return valueError("a mask of %d rows does not fit a DataFrame of %d rows", mask.n, f.rows)
	}
	i := f.find(name)
	if i < 0 {
		return outside(".loc that makes a new column is not supported; make the column %q first", name)
	}
	out, err := m.choose(mask, v, f.cols[i])
	if err == nil {
		f.cols[i] = out
	}
	return err
}

// position is the place of an index in a sequence.
func position(key val, n int) (int, error) {
	if key.k != kInt && key.k != kBool {
		return 0, typeError("list indices must be integers, not %s", key.typeName())
	}
	i := key.i
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		return 0, &failure{class: "IndexError", text: "list index out of range", data: true}
	}
	return int(i), nil
}
