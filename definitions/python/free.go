package python

import (
	"fmt"
	"slices"
)

// Free is a name that a text uses and does not bind.
type Free struct {
	Name string
	// At is the byte of the text at which it stands.
	At int
	// Late names are looked up when a function is called, others at once.
	Late bool
	// Hint names stand in a quoted annotation, which only some readers look at.
	Hint bool
}

// Alone is what a text is when it runs by itself.
type Alone struct {
	// Free are the names that it takes from elsewhere, in the order of the text.
	Free []Free
	// Functions are those that it defines at its top.
	Functions []string
	// Returns is the annotation of the last function's result: a dotted name,
	// "…" for anything else, empty for none.
	Returns string
}

// ReadAlone tells what a text takes from elsewhere when it is run by itself.
func ReadAlone(text string) (*Alone, error) {
	body, err := parse(&File{Name: "function", Source: text})
	if err != nil {
		return nil, err
	}
	f := &finder{}
	f.top = &frame{bound: map[string]bool{}}
	f.body(f.top, body)
	if f.err != nil {
		return nil, f.err
	}
	a := &Alone{}
	for _, u := range f.uses {
		if !u.in.finds(u.Name) {
			a.Free = append(a.Free, u.Free)
		}
	}
	slices.SortStableFunc(a.Free, func(x, y Free) int { return x.At - y.At })
	for _, s := range body {
		if d, ok := s.(*funcStmt); ok {
			a.Functions, a.Returns = append(a.Functions, d.name), annotation(d.returns)
		}
	}
	return a, nil
}

// annotation writes an annotation of a result.
func annotation(e expr) string {
	switch e := e.(type) {
	case nil:
		return ""
	case *nameExpr:
		return e.name
	case *attrExpr:
		return annotation(e.value) + "." + e.name
	case *constExpr:
		if text, ok := e.value.(string); ok {
			return text
		}
	}
	return "…"
}

// frame is a scope of a text.
type frame struct {
	outer *frame
	bound map[string]bool
	// elsewhere are names that are declared global or nonlocal: to bind one is to
	// use what is there.
	elsewhere   map[string]bool
	class, late bool
	passing     bool // of a comprehension, in which := binds outside
}

func (fr *frame) inner(class, late, passing bool) *frame {
	return &frame{outer: fr, bound: map[string]bool{}, elsewhere: map[string]bool{}, class: class, late: late || fr.late, passing: passing}
}

// finds reports whether a name of a scope is bound in it or around it; what a
// class binds is seen in its own body only.
func (fr *frame) finds(name string) bool {
	for at := fr; at != nil; at = at.outer {
		if at.bound[name] && (!at.class || at == fr) {
			return true
		}
	}
	return false
}

type use struct {
	Free
	in *frame
}

// finder gathers the names that a text binds and uses.
type finder struct {
	top  *frame
	uses []use
	hint bool
	at   int // where the annotation that is read starts
	err  error
}

func (f *finder) bind(fr *frame, names ...string) {
	for _, n := range names {
		if !fr.elsewhere[n] {
			fr.bound[n] = true
		}
	}
}

func (f *finder) body(fr *frame, body []stmt) {
	for _, s := range body {
		f.stmt(fr, s)
	}
}

func (f *finder) stmt(fr *frame, s stmt) {
	f.bind(fr, assignedBy(s)...)
	switch s := s.(type) {
	case *scopeStmt:
		for _, n := range s.names {
			fr.elsewhere[n] = true
			if s.global {
				f.uses = append(f.uses, use{Free{Name: n, At: s.at, Late: true}, f.top})
			}
		}
	case *funcStmt:
		f.exprs(fr, s.decorators)
		f.annotation(fr, s.returns)
		f.body(f.function(fr, s.params), s.body)
	case *classStmt:
		f.exprs(fr, s.decorators)
		for _, b := range s.bases {
			f.expr(fr, b.value)
		}
		f.body(fr.inner(true, false, false), s.body)
	case *annotatedStmt:
		if n, ok := s.target.(*nameExpr); ok {
			f.bind(fr, n.name)
		}
		if !fr.late { // a function does not evaluate them
			f.expr(fr, s.kind)
		}
		f.exprs(fr, []expr{s.target, s.value})
	case *matchStmt:
		if f.err == nil && slices.ContainsFunc(s.cases, func(c matchCase) bool { return looksInside(c.pattern) }) {
			f.err = fmt.Errorf("has a case that looks into a mapping or a class, whose names are not read")
		}
		f.pieces(fr, s)
	default:
		f.pieces(fr, s)
	}
}

func (f *finder) pieces(fr *frame, s stmt) {
	f.exprs(fr, exprsOf(s))
	for _, b := range blocksOf(s) {
		f.body(fr, b)
	}
}

func looksInside(p *pattern) bool {
	return p.kind == patternComplex || slices.ContainsFunc(p.parts, looksInside)
}

// function is the scope of a function; defaults and annotations belong to the
// one around it.
func (f *finder) function(fr *frame, params []param) *frame {
	in := fr.inner(false, true, false)
	for _, p := range params {
		f.expr(fr, p.fallback)
		f.annotation(fr, p.kind)
		in.bound[p.name] = true
	}
	return in
}

// annotation reads an annotation, a quoted one, too.
func (f *finder) annotation(fr *frame, e expr) {
	text, ok := e.(*constExpr)
	quoted, isText := "", false
	if ok {
		quoted, isText = text.value.(string)
	}
	if !isText {
		f.expr(fr, e)
		return
	}
	body, err := parse(&File{Source: quoted})
	if err != nil {
		return
	}
	f.hint, f.at = true, text.at
	f.body(fr, body)
	f.hint = false
}

func (f *finder) exprs(fr *frame, list []expr) {
	for _, e := range list {
		f.expr(fr, e)
	}
}

func (f *finder) expr(fr *frame, e expr) {
	switch e := e.(type) {
	case *nameExpr:
		u := use{Free{Name: e.name, At: e.at, Late: fr.late, Hint: f.hint}, fr}
		if f.hint {
			u.At = f.at
		}
		f.uses = append(f.uses, u)
	case *lambdaExpr:
		f.expr(f.function(fr, e.params), e.body)
	case *walrusExpr:
		to := fr
		for to.passing {
			to = to.outer
		}
		f.bind(to, e.name)
		f.expr(fr, e.value)
	case *comprehension:
		in := fr.inner(false, false, true)
		for i, c := range e.clauses {
			if i == 0 {
				f.expr(fr, c.source)
			} else {
				f.expr(in, c.source)
			}
			f.bind(in, targetNames(c.target)...)
			f.expr(in, c.target)
			f.exprs(in, c.conds)
		}
		f.exprs(in, []expr{e.key, e.value})
	default:
		f.exprs(fr, children(e))
	}
}
