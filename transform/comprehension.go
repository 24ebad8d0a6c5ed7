package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

// comprehension compiles [x for …], {x for …}, {k: v for …} and generators, which
// are computed at once.
func (c *compiler) comprehension(e *syntax.Comprehension) code {
	restore := c.shadow()
	var clauses []clause
	for _, cl := range e.Clauses {
		source := c.expr(cl.Source)
		c.freshNames(cl.Target)
		next := clause{source: source, bind: c.target(cl.Target), at: cl.Source.At()}
		if names, ok := cl.Target.(*syntax.Sequence); ok {
			for _, t := range names.Items {
				next.parts = append(next.parts, c.target(t))
			}
		}
		for _, cond := range cl.Conds {
			next.conds = append(next.conds, c.condition(cond))
		}
		clauses = append(clauses, next)
	}
	key, value := c.expr(e.Key), c.expr(e.Value)
	restore()
	loop := &looper{clauses: clauses}
	if e.Kind == ':' {
		return func(m *machine) (val, error) {
			d := &dict{}
			err := loop.run(m, 0, func(int) {}, func() error {
				k, err := key(m)
				if err == nil {
					err = hashable(k)
				}
				if err != nil {
					return err
				}
				m.mem.used += 128
				v, err := value(m)
				d.set(k, v)
				return err
			})
			return val{k: kDict, ref: d}, err
		}
	}
	if e.Key == nil {
		key = value
	}
	return func(m *machine) (val, error) {
		out := &list{}
		err := loop.run(m, 0, func(n int) { out.items = m.take(n)[:0] }, func() error {
			v, err := key(m)
			out.items = append(out.items, v)
			m.mem.used += 64
			return err
		})
		if e.Kind == '{' && err == nil {
			return setOf(out.items)
		}
		return listVal(out.items), err
	}
}

func (c *compiler) freshNames(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Name:
		c.fresh(e.ID)
	case *syntax.Sequence:
		for _, i := range e.Items {
			c.freshNames(i)
		}
	}
}

type clause struct {
	source code
	bind   func(*machine, val) error
	parts  []func(*machine, val) error // of a target of several names
	conds  []func(*machine) (bool, error)
	at     int
}

// looper runs the clauses of a comprehension.
type looper struct{ clauses []clause }

// run calls each for every combination; size is called with the number of items
// of the first clause.
func (l *looper) run(m *machine, i int, size func(int), each func() error) error {
	if i == len(l.clauses) {
		return each()
	}
	cl := &l.clauses[i]
	v, err := cl.source(m)
	if err != nil {
		return err
	}
	items, err := m.iterate(v)
	if err != nil {
		return place(err, cl.at)
	}
	n := items.len()
	if i == 0 {
		size(n)
	}
	for j := range n {
		if err := m.step(); err != nil {
			return place(err, cl.at)
		}
		if err := cl.set(m, &items, j); err != nil {
			return err
		}
		ok, err := cl.pass(m)
		if err != nil {
			return err
		}
		if ok {
			if err := l.run(m, i+1, size, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// set binds item j to the target, without making a tuple of zip's items.
func (cl *clause) set(m *machine, all *items, j int) error {
	if all.zip == nil || all.enum || len(all.zip) != len(cl.parts) {
		return cl.bind(m, all.at(j))
	}
	for i, bind := range cl.parts {
		if err := bind(m, all.zip[i].at(j)); err != nil {
			return err
		}
	}
	return nil
}

func (cl *clause) pass(m *machine) (bool, error) {
	for _, cond := range cl.conds {
		if ok, err := cond(m); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// items are the values that a loop goes through.
type items struct {
	list []val
	col  *column
	zip  []items
	from int64 // of enumerate
	enum bool
}

func (s items) len() int {
	switch {
	case s.col != nil:
		return s.col.n
	case s.zip != nil:
		n := s.zip[0].len()
		for _, z := range s.zip[1:] {
			n = min(n, z.len())
		}
		return n
	}
	return len(s.list)
}

func (s items) at(i int) val {
	switch {
	case s.col != nil && s.col.array:
		return s.col.at(i)
	case s.col != nil:
		return s.col.python(i)
	case s.enum:
		return val{k: kTuple, ref: &list{[]val{intVal(s.from + int64(i)), s.zip[0].at(i)}}}
	case s.zip != nil:
		out := make([]val, len(s.zip))
		for j, z := range s.zip {
			out[j] = z.at(i)
		}
		return val{k: kTuple, ref: &list{out}}
	}
	return s.list[i]
}

// iterate is iter(v).
func (m *machine) iterate(v val) (items, error) {
	switch r := v.ref.(type) {
	case *list:
		if v.k == kSet {
			return loopOf(r)
		}
		return items{list: r.items}, nil
	case *items:
		return *r, nil
	case *dict:
		return items{list: r.keys}, nil
	case *ndarray:
		all, err := r.all()
		return items{list: all}, err
	case *column:
		if v.k == kColumn {
			return items{col: r}, nil
		}
	case *frame:
		out := m.take(len(r.names))
		for i, n := range r.names {
			out[i] = textVal(n)
		}
		return items{list: out}, nil
	}
	if v.extended() {
		return items{}, outside("a loop over a %s is not supported", v.typeName())
	}
	if v.k == kText {
		var out []val
		for _, r := range v.s {
			out = append(out, textVal(string(r)))
		}
		return items{list: out}, nil
	}
	return items{}, typeError("'%s' object is not iterable", v.typeName())
}
