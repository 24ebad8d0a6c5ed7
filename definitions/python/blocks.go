package python

import (
	"fmt"
	"slices"
)

func (r *Interpreter) conditional(s *scope, st *ifStmt) (signal, error) {
	v, err := r.eval(s, st.cond)
	if err != nil {
		return signal{}, err
	}
	yes, known := truth(v)
	switch {
	case !known:
		return r.passOver(s, st.cond.pos(), "condition", v, st.then, st.otherwise)
	case yes:
		return r.run(s, st.then)
	}
	return r.run(s, st.otherwise)
}

// passOver skips blocks that depend on an Unknown value; the names that they bind
// become Unknown. It is an error if the blocks affect definitions.
func (r *Interpreter) passOver(s *scope, at int, what string, v any, blocks ...[]stmt) (signal, error) {
	why := "?"
	if u, ok := v.(*Unknown); ok {
		why = u.Why
	}
	whole := fmt.Sprintf("the %s on %s", what, why)
	for _, body := range blocks {
		if jumps(body) {
			return signal{}, s.file.fail(at, "this %s decides how a loop goes on and cannot be known without running Python (%s); write the loop without it", what, why)
		}
		if s.function != nil && leaves(body) {
			if m := r.matters(s, s.function.body); m != "" {
				return signal{}, s.file.fail(at, "this %s decides what %s() does and cannot be known without running Python (%s), and %s; write it without it", what, s.function.Name, why, m)
			}
			return signal{flowReturn, &Unknown{Why: whole, Trust: Harmless}}, nil
		}
	}
	if err := r.uncertain(s, at, whole, blocks...); err != nil {
		return signal{}, err
	}
	r.passed(s, at, "the block of %s, which only running Python can tell", whole)
	return signal{}, nil
}

func (r *Interpreter) loop(s *scope, st *forStmt) (signal, error) {
	v, err := r.eval(s, st.source)
	if err != nil {
		return signal{}, err
	}
	if st.async {
		return signal{}, s.file.fail(st.at, "'async for' is not read")
	}
	if u, ok := v.(*Unknown); ok {
		return r.passOver(s, st.source.pos(), "loop", u, []stmt{st}, st.body)
	}
	it, err := r.iterate(v)
	if err != nil {
		return signal{}, s.locate(st.source.pos(), err)
	}
	for {
		item, ok, err := it.next()
		if err == nil {
			err = r.charge(s.file.round())
		}
		if err != nil {
			return signal{}, s.locate(st.source.pos(), err)
		}
		if !ok {
			break
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
		if err := r.charge(s.file.round()); err != nil {
			return signal{}, s.locate(st.at, err)
		}
		v, err := r.eval(s, st.cond)
		if err != nil {
			return signal{}, err
		}
		yes, known := truth(v)
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

// guard watches the body of a try for operations that may fail only in Python.
type guard struct {
	// missing says that a handler catches the error of a missing module.
	missing bool
	// doubt is the operation whose success only running Python can tell.
	doubt string
}

// doubt records that an operation in the bodies of try statements may fail.
func (r *Interpreter) doubt(why string) {
	if r.guard != nil {
		r.guard.doubt = why
	}
}

// perhaps records doubt about a name of a module, unless the reader has the module.
func (r *Interpreter) perhaps(v any) {
	if u, ok := v.(*Unknown); ok {
		r.doubt(u.Why + " is there")
	}
}

func (r *Interpreter) try(s *scope, st *tryStmt) (signal, error) {
	if len(st.finally) > 0 || slices.ContainsFunc(st.handlers, catchesAll) {
		defer s.guarded()()
	}
	sig, err := r.tryBody(s, st)
	if err != nil && exception(err) == nil { // a refusal, or the run was stopped
		return sig, err
	}
	if last, ferr := r.run(s, st.finally); ferr != nil || last.kind != flowNext {
		return last, ferr
	}
	return sig, err
}

// catchesAll reports whether a handler may catch the end of a generator.
func catchesAll(h handler) bool {
	n, ok := h.kinds.(*nameExpr)
	return !ok || n.name == "BaseException" || n.name == "GeneratorExit"
}

func (r *Interpreter) tryBody(s *scope, st *tryStmt) (signal, error) {
	outer, g := r.guard, &guard{}
	if len(st.handlers) > 0 {
		missing, err := r.takesMissing(s, st)
		if err != nil {
			return signal{}, err
		}
		g.missing = missing
		r.guard = g
	}
	sig, err := r.run(s, st.body)
	r.guard = outer
	if err == nil {
		if g.doubt != "" && !alwaysRaise(st.handlers) {
			if err := r.uncertain(s, st.at, "whether "+g.doubt, st.body, st.orElse, bodies(st.handlers)); err != nil {
				return signal{}, err
			}
			r.doubt(g.doubt)
		}
		if sig.kind != flowNext {
			return sig, nil
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
			defer func() { delete(s.home(h.as).names, h.as) }()
		}
		before := s.handling
		s.handling = err
		defer func() { s.handling = before }()
		return r.run(s, h.body)
	}
	return sig, err
}

// takesMissing reports whether a handler catches the error of a missing module.
// The body may define the names in an except clause; these are evaluated only
// when the clause is reached.
func (r *Interpreter) takesMissing(s *scope, st *tryStmt) (bool, error) {
	var modules []string
	collectImports(st.body, &modules)
	if modules == nil {
		return false, nil
	}
	missing := &raised{class: "ModuleNotFoundError"}
	for _, h := range st.handlers {
		if caught, err := r.catches(s, h, missing); caught || err != nil {
			return caught, err
		}
	}
	return false, nil
}

// alwaysRaise reports whether every handler ends in a raise: code after the try
// then runs only if its body succeeded.
func alwaysRaise(handlers []handler) bool {
	for _, h := range handlers {
		if _, ok := h.body[len(h.body)-1].(*raiseStmt); !ok {
			return false
		}
	}
	return true
}

// bodies returns the statements of all handlers.
func bodies(handlers []handler) []stmt {
	var all []stmt
	for _, h := range handlers {
		all = append(all, h.body...)
	}
	return all
}
