package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

// maxNesting bounds the nesting of expressions.
const maxNesting = 200

func (c *compiler) exprs(list []syntax.Expr) []code {
	out := make([]code, len(list))
	for i, e := range list {
		out[i] = c.expr(e)
	}
	return out
}

func (c *compiler) expr(e syntax.Expr) code {
	c.depth++
	defer func() { c.depth-- }()
	switch {
	case e == nil:
		return func(*machine) (val, error) { return val{}, nil }
	case c.depth > maxNesting:
		return c.bad(e.At(), "an expression is nested too deep")
	}
	switch e := e.(type) {
	case *syntax.Name:
		return c.name(e)
	case *syntax.Const:
		return c.constant(e)
	case *syntax.Attr:
		return c.attribute(e)
	case *syntax.Index:
		return c.index(e)
	case *syntax.Call:
		return c.call(e)
	case *syntax.Lambda:
		return c.lambda(e)
	case *syntax.OtherExpr:
		return c.bad(e.At(), "%s is not supported", e.What)
	}
	return c.operator(e)
}

func (c *compiler) operator(e syntax.Expr) code {
	switch e := e.(type) {
	case *syntax.Binary:
		return c.binary(e)
	case *syntax.Unary:
		return c.unary(e)
	case *syntax.Logic:
		return c.logic(e)
	case *syntax.Compare:
		return c.compare(e)
	case *syntax.Cond:
		cond, then, otherwise := c.condition(e.Cond), c.expr(e.Then), c.expr(e.Else)
		return func(m *machine) (val, error) {
			is, err := cond(m)
			if err != nil {
				return val{}, err
			}
			if is {
				return then(m)
			}
			return otherwise(m)
		}
	}
	return c.display(e)
}

func (c *compiler) display(e syntax.Expr) code {
	switch e := e.(type) {
	case *syntax.Sequence:
		items, k, at := c.exprs(e.Items), kList, e.At()
		if e.Kind == '(' {
			k = kTuple
		}
		return func(m *machine) (val, error) {
			out := m.take(len(items))
			for i, item := range items {
				v, err := item(m)
				if err != nil {
					return val{}, err
				}
				out[i] = v
			}
			if e.Kind == '{' {
				set, err := setOf(out)
				return set, place(err, at)
			}
			return val{k: k, ref: &list{out}}, nil
		}
	case *syntax.Dict:
		return c.dict(e)
	case *syntax.FString:
		return c.fstring(e)
	case *syntax.Comprehension:
		return c.comprehension(e)
	case *syntax.Slice:
		return c.slice(e)
	}
	return c.bad(e.At(), "this expression is not supported")
}

func (c *compiler) dict(e *syntax.Dict) code {
	keys, values := c.exprs(e.Keys), c.exprs(e.Values)
	for i, k := range e.Keys {
		if k == nil {
			keys[i] = nil
		}
	}
	at := e.At()
	return func(m *machine) (val, error) {
		d := &dict{keys: make([]val, 0, len(keys)), values: make([]val, 0, len(keys))}
		for i := range keys {
			v, err := values[i](m)
			if err != nil {
				return val{}, err
			}
			if keys[i] == nil {
				other, ok := v.ref.(*dict)
				if !ok {
					return val{}, place(outside("** of a %s is not supported", v.typeName()), at)
				}
				for j, k := range other.keys {
					d.set(k, other.values[j])
				}
				continue
			}
			k, err := keys[i](m)
			if err == nil && (k.k != kFloat || k.f == k.f) { // NaN is a key of replace
				err = hashable(k)
			}
			if err != nil {
				return val{}, place(err, at)
			}
			d.set(k, v)
		}
		return val{k: kDict, ref: d}, nil
	}
}

// slice is a range within an index; a whole one has no bounds.
type slice struct{ from, to val }

func (c *compiler) slice(e *syntax.Slice) code {
	if e.Step != nil {
		return c.bad(e.At(), "a slice with a step is not supported")
	}
	from, to := c.expr(e.From), c.expr(e.To)
	if e.From == nil && e.To == nil {
		return func(*machine) (val, error) { return val{k: kSlice}, nil }
	}
	return func(m *machine) (val, error) {
		a, err := from(m)
		if err != nil {
			return val{}, err
		}
		b, err := to(m)
		return val{k: kSlice, ref: &slice{a, b}}, err
	}
}

func (c *compiler) constant(e *syntax.Const) code {
	v := val{}
	switch k := e.Value.(type) {
	case bool:
		v = boolVal(k)
	case int64:
		v = intVal(k)
	case float64:
		v = floatVal(k)
	case string:
		v = textVal(k)
	}
	return func(*machine) (val, error) { return v, nil }
}

func (c *compiler) name(e *syntax.Name) code {
	if slot, ok := c.scope.slots[e.ID]; ok {
		at, id := e.At(), e.ID
		return func(m *machine) (val, error) {
			v := m.vars[m.base+slot]
			if v.k == kUnset {
				return val{}, place(&failure{class: "UnboundLocalError", text: "variable '" + id + "' has no value here"}, at)
			}
			return v, nil
		}
	}
	v, ok := c.global(e.ID, e.At())
	if module := c.modules[e.ID]; !ok && module != "" {
		return c.unknown(e.At(), module)
	}
	if !ok {
		return c.bad(e.At(), "name '%s' is not defined in the stored text of the function", e.ID)
	}
	return func(*machine) (val, error) { return v, nil }
}

// global is a name from outside of the function: a function of the text, a module
// or its member, or a name of Python.
func (c *compiler) global(id string, at int) (val, bool) {
	if _, ok := c.funcs[id]; ok {
		return val{k: kLambda, ref: c.function(id, at)}, true
	}
	if module, ok := c.modules[id]; ok {
		return member(module)
	}
	if fn, ok := builtins[id]; ok {
		return val{k: kNative, ref: &native{id, fn}}, true
	}
	return val{}, false
}

func (c *compiler) binary(e *syntax.Binary) code {
	left, right, op, at := c.expr(e.Left), c.expr(e.Right), e.Op, e.At()
	if op == "@" {
		return c.bad(at, "the @ operator is not supported")
	}
	return func(m *machine) (val, error) {
		a, err := left(m)
		if err != nil {
			return val{}, err
		}
		b, err := right(m)
		if err != nil {
			return val{}, err
		}
		v, err := m.binary(op, a, b)
		if err == nil {
			err = m.grow(v)
		}
		if err != nil {
			return val{}, place(err, at)
		}
		return v, nil
	}
}

func (c *compiler) unary(e *syntax.Unary) code {
	if e.Op == "not" {
		cond := c.condition(e.Value)
		return func(m *machine) (val, error) {
			is, err := cond(m)
			return boolVal(!is), err
		}
	}
	value, op, at := c.expr(e.Value), e.Op, e.At()
	return func(m *machine) (val, error) {
		v, err := value(m)
		if err != nil {
			return val{}, err
		}
		v, err = m.unary(op, v)
		if err != nil {
			return val{}, place(err, at)
		}
		return v, nil
	}
}

func (c *compiler) logic(e *syntax.Logic) code {
	left, right, and, at := c.expr(e.Left), c.expr(e.Right), e.And, e.At()
	return func(m *machine) (val, error) {
		v, err := left(m)
		if err != nil {
			return val{}, err
		}
		is, err := truth(v)
		if err != nil {
			return val{}, place(err, at)
		}
		if is != and {
			return v, nil
		}
		return right(m)
	}
}

func (c *compiler) compare(e *syntax.Compare) code {
	first, rest, ops, at := c.expr(e.First), c.exprs(e.Rest), e.Ops, e.At()
	return func(m *machine) (val, error) {
		a, err := first(m)
		if err != nil {
			return val{}, err
		}
		var out val
		for i, op := range ops {
			if i > 0 {
				is, err := truth(out)
				if err != nil {
					return val{}, place(err, at)
				}
				if !is {
					return out, nil
				}
			}
			b, err := rest[i](m)
			if err != nil {
				return val{}, err
			}
			if out, err = m.relation(op, a, b); err != nil {
				return val{}, place(err, at)
			}
			a = b
		}
		return out, nil
	}
}

// relation is a comparison, "in" or "is".
func (m *machine) relation(op string, a, b val) (val, error) {
	switch op {
	case "in", "not in":
		is, err := contains(a, b)
		return boolVal(is == (op == "in")), err
	case "is", "is not":
		if b.k != kNone && a.k != kNone && (b.k != kBool || b.w != dNone || a.w != dNone) {
			return val{}, outside("'is' is supported with None, True and False only")
		}
		same := a.k == b.k && (a.k == kNone || a.i == b.i)
		return boolVal(same == (op == "is")), nil
	}
	return m.compare(op, a, b)
}

// shadow returns a function that restores the names that the scope has now.
func (c *compiler) shadow() func() {
	s, n := c.scope, len(c.scope.hid)
	return func() {
		for len(s.hid) > n {
			last := s.hid[len(s.hid)-1]
			s.hid = s.hid[:len(s.hid)-1]
			if last.was {
				s.slots[last.name] = last.slot
			} else {
				delete(s.slots, last.name)
			}
		}
	}
}

// fresh makes a new variable that hides others of its name.
func (c *compiler) fresh(name string) int { return c.scope.fresh(name) }
