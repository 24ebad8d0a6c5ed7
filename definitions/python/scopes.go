package python

import "slices"

// binding lists the names that the body of a function or class binds, and those
// that it takes from outside. Python decides that before it runs anything.
type binding struct {
	bound map[string]bool
	// global and outer are the names declared "global" and "nonlocal".
	global, outer map[string]bool
	class         bool
	// open are nonlocal names, of the body or of functions in it, that must still be
	// found in an enclosing function.
	open []imported
}

// bind records that the current body binds a name.
func (p *parser) bind(name string) string {
	p.binds.bound[name] = true
	return name
}

// body parses a body with its own names, including its parameters.
func (p *parser) body(class bool, params []param, read func()) *binding {
	around := p.binds
	b := &binding{bound: map[string]bool{}, global: map[string]bool{}, outer: map[string]bool{}, class: class}
	p.binds = b
	for _, q := range params {
		p.bind(q.name)
	}
	read()
	p.binds = around
	for _, n := range b.open {
		switch {
		case around == nil:
			p.fail(n.at, "no binding for nonlocal '%s' found", n.name)
		case class || b.outer[n.name] || b.global[n.name] || !b.bound[n.name]:
			around.open = append(around.open, n)
		}
	}
	return b
}

// declare records the names of a global or nonlocal statement.
func (p *parser) declare(st *scopeStmt) {
	for _, n := range st.names {
		if p.binds.bound[n] {
			p.fail(st.at, "name '%s' is assigned to before it is declared global or nonlocal", n)
		}
		if st.global {
			p.binds.global[n] = true
			continue
		}
		p.binds.outer[n] = true
		p.binds.open = append(p.binds.open, imported{name: n, at: st.at})
	}
}

// home is the scope in which a name is bound.
func (s *scope) home(name string) *scope {
	switch b := s.binds; {
	case b == nil:
	case b.global[name]:
		return s.top
	case b.outer[name]:
		for x := s.outer; x != nil; x = x.outer {
			if x.kind == scopeFunction && x.binds.bound[name] && !x.binds.outer[name] {
				return x
			}
		}
	}
	return s
}

// set binds a name in the scope that Python uses.
func (s *scope) set(name string, v any) {
	home := s.home(name)
	if !has(home.names, name) {
		home.order = append(home.order, name)
	}
	home.names[name] = v
}

// dictOf is a copy of the names of a scope, in Python's order.
func (r *Interpreter) dictOf(s *scope) (*Dict, error) {
	var names []string
	listed := map[string]bool{}
	add := func(n string) {
		if has(s.names, n) && !listed[n] {
			names, listed[n] = append(names, n), true
		}
	}
	if err := r.charge(4 * (len(s.order) + len(s.names))); err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(s.order) { // a name that was unbound in between counts as new
		add(n)
	}
	for _, n := range slices.Backward((&Module{Names: s.names}).Dir()) { // __name__ and the like
		add(n)
	}
	d := r.newDict()
	for _, n := range slices.Backward(names) {
		if err := d.Put(n, s.names[n]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// get looks up a name.
func (s *scope) get(name string) (any, bool) {
	v, at := s.find(name)
	return v, at != nil && has(at.names, name)
}

func has(names map[string]any, name string) bool {
	_, ok := names[name]
	return ok
}

// find returns a name's value and the scope that it belongs to; it may be unbound
// there. Functions do not see the names of an enclosing class body.
func (s *scope) find(name string) (any, *scope) {
	for x := s; x != nil; x = x.outer {
		b := x.binds
		switch v, ok := x.names[name]; {
		case x.kind == scopeClass && x != s || b != nil && b.outer[name]:
		case b != nil && b.global[name]:
			return s.top.names[name], s.top
		case ok:
			return v, x
		case b != nil && b.bound[name] && x.kind == scopeClass:
			return s.top.names[name], s.top
		case b != nil && b.bound[name]:
			return nil, x
		}
	}
	return nil, nil
}

// unbound is the exception for a name without a value in its scope; nil if it has
// one.
func (s *scope) unbound(name string, at *scope) error {
	switch {
	case at == s.holder() && at != nil && at.kind == scopeFunction:
		return raise("UnboundLocalError", "cannot access local variable '%s' where it is not associated with a value", name)
	case at != nil && at.kind == scopeFunction:
		return raise("NameError", "cannot access free variable '%s' where it is not associated with a value in enclosing scope", name)
	}
	return raise("NameError", "name '%s' is not defined", name)
}

// unset is del name.
func (s *scope) unset(name string) error {
	home := s.home(name)
	if !has(home.names, name) {
		return s.unbound(name, home)
	}
	delete(home.names, name)
	return nil
}
