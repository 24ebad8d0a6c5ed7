package python

import (
	"fmt"
)

func (r *Interpreter) evalOr(s *scope, e expr, fallback any) (any, error) {
	if e == nil {
		return fallback, nil
	}
	return r.eval(s, e)
}

// eval evaluates an expression.
func (r *Interpreter) eval(s *scope, e expr) (any, error) {
	if !s.file.own {
		if err := r.charge(1); err != nil {
			return nil, s.locate(e.pos(), err)
		}
	}
	if r.depth++; r.depth > maxEval {
		r.depth--
		return nil, s.file.fail(e.pos(), "this expression is nested too deep")
	}
	v, err := r.evaluate(s, e)
	r.depth--
	switch e.(type) {
	case *constExpr, *nameExpr, *attrExpr: // no new values
	default:
		if err == nil {
			err = r.meter.hold(v)
		}
	}
	return v, s.locate(e.pos(), err)
}

func (r *Interpreter) evaluate(s *scope, e expr) (any, error) {
	switch e := e.(type) {
	case *constExpr:
		return e.value, nil
	case *nameExpr:
		return r.lookup(s, e)
	case *fstring:
		return r.format(s, e.parts)
	case *listExpr:
		items, err := r.display(s, e.items)
		return &List{Items: items}, err
	case *tupleExpr:
		items, err := r.display(s, e.items)
		return Tuple(items), err
	case *setExpr:
		items, err := r.display(s, e.items)
		if err != nil {
			return nil, err
		}
		return r.newSetOf(items)
	case *dictExpr:
		return r.dict(s, e)
	case *attrExpr:
		v, err := r.eval(s, e.value)
		if err != nil {
			return nil, err
		}
		return r.attribute(v, e.name)
	case *indexExpr:
		return r.index(s, e)
	case *callExpr:
		return r.call(s, e)
	case *comprehension:
		return r.comprehend(s, e)
	}
	return r.operate(s, e)
}

// operate evaluates operators and less common expressions.
func (r *Interpreter) operate(s *scope, e expr) (any, error) {
	switch e := e.(type) {
	case *lambdaExpr:
		if err := r.meter.take(functionSize); err != nil {
			return nil, err
		}
		f := &Function{Name: "<lambda>", params: e.params, result: e.body, scope: s, owner: s.owner, qual: s.qualified("<lambda>"), binds: e.binds}
		return f, r.defaults(s, f)
	case *walrusExpr:
		v, err := r.eval(s, e.value)
		if err != nil {
			return nil, err
		}
		return v, r.assign(s.holder(), e.name, v)
	case *yieldExpr:
		return r.yield(s, e)
	case *awaitExpr:
		return nil, fmt.Errorf("await is not read")
	case *unaryExpr:
		v, err := r.eval(s, e.value)
		if err != nil {
			return nil, err
		}
		return r.unary(e.op, v)
	case *binaryExpr:
		a, b, err := r.both(s, e.left, e.right)
		if err != nil {
			return nil, err
		}
		v, err := r.binary(e.op, a, b)
		return r.mixed(v, a, b), err
	case *boolExpr:
		return r.either(s, e)
	case *compareExpr:
		return r.compare(s, e)
	case *ifExpr:
		return r.choose(s, e)
	case *starExpr:
		return nil, fmt.Errorf("a starred expression is not allowed here")
	}
	return nil, fmt.Errorf("this expression cannot be read")
}

// both evaluates two expressions.
func (r *Interpreter) both(s *scope, left, right expr) (a, b any, err error) {
	if a, err = r.eval(s, left); err == nil {
		b, err = r.eval(s, right)
	}
	return a, b, err
}

// skipped refuses to skip an expression that affects definitions.
func (r *Interpreter) skipped(s *scope, what string, u any, list ...expr) (any, error) {
	for _, e := range list {
		if e == nil {
			continue
		}
		if m := r.matters(s, []stmt{&exprStmt{node{e.pos()}, e}}); m != "" {
			why := "?"
			if u, ok := u.(*Unknown); ok {
				why = u.Why
			}
			return nil, s.file.fail(e.pos(), "this depends on a %s that cannot be known without running Python (%s), and %s; write it without", what, why, m)
		}
	}
	return u, nil
}

func (r *Interpreter) either(s *scope, e *boolExpr) (any, error) {
	a, err := r.eval(s, e.left)
	if err != nil {
		return nil, err
	}
	yes, known := truth(a)
	if !known {
		return r.skipped(s, "condition", a, e.right)
	}
	if yes != e.and {
		return a, nil
	}
	return r.eval(s, e.right)
}

func (r *Interpreter) choose(s *scope, e *ifExpr) (any, error) {
	c, err := r.eval(s, e.cond)
	if err != nil {
		return nil, err
	}
	yes, known := truth(c)
	switch {
	case !known:
		return r.skipped(s, "condition", c, e.then, e.otherwise)
	case yes:
		return r.eval(s, e.then)
	}
	return r.eval(s, e.otherwise)
}

func (r *Interpreter) compare(s *scope, e *compareExpr) (any, error) {
	left, err := r.eval(s, e.first)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := r.eval(s, e.rest[i])
		if err != nil {
			return nil, err
		}
		if err := r.weigh(left, right); err != nil {
			return nil, err
		}
		v, err := r.compared(op, left, right)
		if err != nil {
			return nil, err
		}
		yes, known := v.(bool)
		if !known {
			return r.skipped(s, "comparison", v, e.rest[i+1:]...)
		}
		if !yes {
			return v, nil
		}
		left = right
	}
	return true, nil
}

func (r *Interpreter) lookup(s *scope, e *nameExpr) (any, error) {
	v, at := s.find(e.name)
	switch {
	case at != nil && has(at.names, e.name):
		return v, nil
	case at != nil && at.kind == scopeFunction:
		return nil, s.unbound(e.name, at)
	}
	switch e.name {
	case "globals":
		return &Builtin{Name: e.name, Call: func(*Call) (any, error) { return &namespace{s.top}, nil }}, nil
	case "locals", "vars":
		return r.localsOf(s, e.name), nil
	case "__class__":
		return nil, fmt.Errorf("__class__ is read as an attribute alone")
	case "super":
		return &Builtin{Name: e.name, Call: func(c *Call) (any, error) { return superOf(s, c) }}, nil
	}
	if v, ok := r.builtins[e.name]; ok {
		return v, nil
	}
	if v, ok := r.natives[e.name]; ok && s.file.own {
		return v, nil
	}
	return nil, s.unbound(e.name, nil)
}

// yield evaluates a yield expression.
func (r *Interpreter) yield(s *scope, e *yieldExpr) (any, error) {
	v, err := r.evalOr(s, e.value, nil)
	if err != nil {
		return nil, err
	}
	g := s.gen
	switch {
	case g == nil:
		return nil, fmt.Errorf("yield stands outside of a function")
	case e.all:
		return g.yieldFrom(v)
	}
	return g.hand(v)
}

// display evaluates the items of a list, tuple or set, spreading starred ones.
func (r *Interpreter) display(s *scope, list []expr) ([]any, error) {
	out := make([]any, 0, len(list))
	for _, e := range list {
		star, ok := e.(*starExpr)
		if !ok {
			v, err := r.eval(s, e)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		v, err := r.eval(s, star.value)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(*Unknown); ok {
			return nil, fmt.Errorf("what is spread here cannot be known without running Python (%s)", u.Why)
		}
		more, err := r.items(v)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// newSetOf makes a set; an Unknown item makes it Unknown.
func (r *Interpreter) newSetOf(items []any) (any, error) {
	if u := anyUnknown(items...); u != nil {
		return u, nil
	}
	s, err := newSet(r.meter, items)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (r *Interpreter) dict(s *scope, e *dictExpr) (any, error) {
	d := r.newDict()
	var unknown *Unknown
	for i, k := range e.keys {
		if k == nil {
			v, err := r.eval(s, e.values[i])
			if err != nil {
				return nil, err
			}
			switch v := v.(type) {
			case *Unknown:
				unknown = v
			case *Dict:
				if err := d.update(v); err != nil {
					return nil, err
				}
			default:
				return nil, raise("TypeError", "'%s' object is not a mapping", TypeName(v))
			}
			continue
		}
		key, v, err := r.both(s, k, e.values[i])
		if err != nil {
			return nil, err
		}
		if u, ok := key.(*Unknown); ok {
			unknown = u
			continue
		}
		if err := d.Put(key, v); err != nil {
			return nil, err
		}
	}
	if unknown != nil {
		return unknown, nil
	}
	return d, nil
}

func (r *Interpreter) index(s *scope, e *indexExpr) (any, error) {
	v, err := r.eval(s, e.value)
	if err != nil {
		return nil, err
	}
	if slice, ok := e.index.(*sliceExpr); ok {
		part, err := r.slice(s, v, slice)
		return r.mixed(part, v), err
	}
	switch v := v.(type) {
	case *Unknown:
		return v, nil // so the parameters of types need not be known either
	case *Builtin:
		if v.Members["__members__"] == nil {
			return v, nil // a type with parameters is the type itself
		}
	}
	key, err := r.eval(s, e.index)
	if err != nil {
		return nil, err
	}
	item, err := r.item(v, key)
	return r.mixed(item, v), err
}
