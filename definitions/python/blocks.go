package python

import (
	"errors"
	"fmt"
)

func (r *Interpreter) conditional(s *scope, st *ifStmt) (signal, error) {
	v, err := r.eval(s, st.cond)
	if err != nil {
		return signal{}, err
	}
	yes, known := r.truth(v)
	switch {
	case !known:
		return r.passOver(s, st.cond.pos(), "condition", v, st.then, st.otherwise)
	case yes:
		return r.run(s, st.then)
	}
	return r.run(s, st.otherwise)
}

// passOver leaves out blocks that depend on something Unknown; what they bind
// or change is Unknown then. It is an error when a definition may stand in
// them: it would silently be missing.
func (r *Interpreter) passOver(s *scope, at int, what string, v any, blocks ...[]stmt) (signal, error) {
	why := "?"
	if u, ok := v.(*Unknown); ok {
		why = u.Why
	}
	unknown := &Unknown{Why: "a " + what + " on " + why}
	for _, body := range blocks {
		if r.mentionsDefiner(s, body) {
			return signal{}, s.file.fail(at, "this %s cannot be known without running Python (%s), and definitions depend on it; write them without it", what, why)
		}
		if jumps(body) {
			return signal{}, s.file.fail(at, "this %s decides how a loop goes on and cannot be known without running Python (%s); write the loop without it", what, why)
		}
		if s.function != nil && leaves(body) {
			if r.mentionsDefiner(s, s.function.body) {
				return signal{}, s.file.fail(at, "this %s decides what the function makes and cannot be known without running Python (%s); write it without it", what, why)
			}
			return signal{flowReturn, unknown}, nil
		}
		for _, n := range append(assigned(body), changed(body)...) {
			s.set(n, unknown)
		}
	}
	r.note(s, at, "a block was passed over: its %s depends on %s", what, why)
	return signal{}, nil
}

func (r *Interpreter) loop(s *scope, st *forStmt) (signal, error) {
	v, err := r.eval(s, st.source)
	if err != nil {
		return signal{}, err
	}
	if st.async {
		v = &Unknown{Why: "async for"}
	}
	if u, ok := v.(*Unknown); ok {
		return r.passOver(s, st.source.pos(), "loop", u, []stmt{st}, st.body)
	}
	items, err := r.items(v)
	if err != nil {
		return signal{}, s.locate(st.source.pos(), err)
	}
	for _, item := range items {
		if err := r.charge(1); err != nil {
			return signal{}, s.locate(st.at, err)
		}
		if err := r.bind(s, st.target, item); err != nil {
			return signal{}, err
		}
		sig, err := r.run(s, st.body)
		if err != nil || sig.kind == flowReturn {
			return sig, err
		}
		if sig.kind == flowBreak {
			return signal{}, nil
		}
	}
	return r.run(s, st.otherwise)
}

func (r *Interpreter) while(s *scope, st *whileStmt) (signal, error) {
	for {
		if err := r.charge(1); err != nil {
			return signal{}, s.locate(st.at, err)
		}
		v, err := r.eval(s, st.cond)
		if err != nil {
			return signal{}, err
		}
		yes, known := r.truth(v)
		if !known {
			return r.passOver(s, st.cond.pos(), "condition", v, st.body, st.otherwise)
		}
		if !yes {
			return r.run(s, st.otherwise)
		}
		sig, err := r.run(s, st.body)
		if err != nil || sig.kind == flowReturn {
			return sig, err
		}
		if sig.kind == flowBreak {
			return signal{}, nil
		}
	}
}

// guard watches the body of a try for imports of modules that may be missing.
type guard struct{ module string }

func (r *Interpreter) try(s *scope, st *tryStmt) (signal, error) {
	sig, err := r.tryBody(s, st)
	if err != nil && errors.Is(err, errLimit) {
		return sig, err
	}
	if last, ferr := r.run(s, st.finally); ferr != nil || last.kind != flowNext {
		return last, ferr
	}
	return sig, err
}

func (r *Interpreter) tryBody(s *scope, st *tryStmt) (signal, error) {
	outer := r.guard
	g := &guard{}
	if len(st.handlers) > 0 {
		r.guard = g
	}
	sig, err := r.run(s, st.body)
	r.guard = outer
	if err == nil {
		if g.module != "" {
			err = r.perhapsMissing(s, st, g.module)
		}
		if err != nil || sig.kind != flowNext {
			return sig, err
		}
		return r.run(s, st.orElse)
	}
	e := exception(err)
	if e == nil {
		return sig, err
	}
	for _, h := range st.handlers {
		caught, herr := r.catches(s, h, e)
		if herr != nil {
			return signal{}, s.locate(st.at, herr)
		}
		if !caught {
			continue
		}
		if h.as != "" {
			s.set(h.as, r.exceptionValue(e))
			defer delete(s.names, h.as)
		}
		before := s.handling
		s.handling = err
		defer func() { s.handling = before }()
		return r.run(s, h.body)
	}
	return sig, err
}

// perhapsMissing deals with a body that imported a module which may or may not
// be installed: what its handlers would bind is Unknown.
func (r *Interpreter) perhapsMissing(s *scope, st *tryStmt, module string) error {
	why := "whether " + module + " is installed"
	missing := raise("ModuleNotFoundError", "No module named '%s'", module)
	for _, h := range st.handlers {
		caught, err := r.catches(s, h, exception(missing))
		if err != nil || !caught {
			continue
		}
		if r.mentionsDefiner(s, h.body) {
			return s.file.fail(st.at, "%s cannot be known without running Python, and definitions depend on it; write them without it", why)
		}
		for _, n := range assigned(h.body) {
			if _, ok := s.names[n].(*Unknown); !ok {
				s.set(n, &Unknown{Why: why})
			}
		}
		return nil
	}
	return nil
}

func (r *Interpreter) with(s *scope, st *withStmt) (signal, error) {
	for i, v := range st.values {
		opened, err := r.eval(s, v)
		if err != nil {
			return signal{}, err
		}
		if st.targets[i] == nil {
			continue
		}
		u, ok := opened.(*Unknown)
		if !ok {
			u = &Unknown{Why: "what a with statement gives for a " + TypeName(opened)}
		}
		if err := r.bind(s, st.targets[i], u); err != nil {
			return signal{}, err
		}
	}
	return r.run(s, st.body)
}

func (r *Interpreter) match(s *scope, st *matchStmt) (signal, error) {
	v, err := r.eval(s, st.subject)
	if err != nil {
		return signal{}, err
	}
	if u, ok := v.(*Unknown); ok {
		return r.passOver(s, st.subject.pos(), "match", u, []stmt{st})
	}
	for _, c := range st.cases {
		fits, err := r.fits(s, c.pattern, v)
		if err != nil {
			return signal{}, err
		}
		if fits && c.guard != nil {
			g, err := r.eval(s, c.guard)
			if err != nil {
				return signal{}, err
			}
			yes, known := r.truth(g)
			if !known {
				return r.passOver(s, c.guard.pos(), "condition", g, []stmt{st})
			}
			fits = yes
		}
		if fits {
			return r.run(s, c.body)
		}
	}
	return signal{}, nil
}

// fits matches a value and binds what the pattern captures.
func (r *Interpreter) fits(s *scope, p *pattern, v any) (bool, error) {
	fits := false
	switch p.kind {
	case patternAny, patternStar:
		fits = true
	case patternValue:
		want, err := r.eval(s, p.value)
		if err != nil {
			return false, err
		}
		same, err := r.compared("==", v, want)
		if u, ok := same.(*Unknown); ok {
			return false, s.file.fail(p.at, "this case depends on what cannot be known without running Python (%s)", u.Why)
		}
		if err != nil || same == false {
			return false, err
		}
		fits = true
	case patternOr:
		for _, part := range p.parts {
			ok, err := r.fits(s, part, v)
			if err != nil {
				return false, err
			}
			if fits = ok; ok {
				break
			}
		}
	case patternSequence:
		ok, err := r.fitsSequence(s, p, v)
		if err != nil {
			return false, err
		}
		fits = ok
	default:
		return false, s.file.fail(p.at, "patterns of mappings and classes are not read; write if statements")
	}
	if fits && p.name != "" {
		s.set(p.name, v)
	}
	return fits, nil
}

func (r *Interpreter) fitsSequence(s *scope, p *pattern, v any) (bool, error) {
	items, ok := sequence(v)
	if _, isText := v.(string); !ok || isText {
		return false, nil
	}
	star := -1
	for i, part := range p.parts {
		if part.kind == patternStar {
			star = i
		}
	}
	if star < 0 && len(items) != len(p.parts) || star >= 0 && len(items) < len(p.parts)-1 {
		return false, nil
	}
	rest := len(items) - len(p.parts) + 1
	for i, part := range p.parts {
		var item any
		switch {
		case star < 0 || i < star:
			item = items[i]
		case i == star:
			item = NewList(append([]any{}, items[i:i+rest]...)...)
		default:
			item = items[i+rest-1]
		}
		if ok, err := r.fits(s, part, item); !ok || err != nil {
			return ok, err
		}
	}
	return true, nil
}

// mentionsDefiner reports whether a function that makes definitions is named
// somewhere in the statements, or a function of the files that names one.
func (r *Interpreter) mentionsDefiner(s *scope, body []stmt) bool {
	return r.defines(s.get, body, map[*Function]bool{})
}

func (r *Interpreter) defines(get func(string) (any, bool), body []stmt, seen map[*Function]bool) bool {
	found := false
	walk(body, func(n string) {
		if found {
			return
		}
		v, ok := get(n)
		if !ok {
			return
		}
		found = r.isDefiner(v, seen)
	})
	return found
}

func (r *Interpreter) isDefiner(v any, seen map[*Function]bool) bool {
	switch v := v.(type) {
	case *Builtin:
		return v.Definer
	case *Function:
		if seen[v] || len(seen) > 1000 {
			return false
		}
		seen[v] = true
		body := v.body
		if v.result != nil {
			body = []stmt{&exprStmt{node{v.result.pos()}, v.result}}
		}
		return r.defines(v.scope.get, body, seen)
	}
	return false
}

// truth is Python's truth of a value, asking an object of the files itself.
func (r *Interpreter) truth(v any) (value, known bool) {
	if o, ok := v.(*Instance); ok {
		if m, ok := o.method("__bool__"); ok {
			answer, err := r.invoke(m, &Call{})
			b, isBool := answer.(bool)
			return b, err == nil && isBool
		}
	}
	return truth(v)
}

// items gives the items of a value, counting them as work.
func (r *Interpreter) items(v any) ([]any, error) {
	if o, ok := v.(*Instance); ok && o.tuple == nil {
		if m, ok := o.method("__iter__"); ok {
			inner, err := r.invoke(m, &Call{})
			if err != nil {
				return nil, err
			}
			if _, again := inner.(*Instance); again {
				return nil, fmt.Errorf("iterating over a %s is not read", TypeName(v))
			}
			return r.items(inner)
		}
	}
	items, ok := Items(v)
	if !ok {
		return nil, raise("TypeError", "'%s' object is not iterable", TypeName(v))
	}
	return items, r.charge(len(items) / 4)
}
