package python

import (
	"slices"
	"strings"
)

// Free is a name that a text uses but does not bind.
type Free struct {
	Name string
	// At is its byte offset in the text.
	At int
	// Late names are looked up when a function is called, the others immediately.
	Late bool
	// Hint names are in the annotation of a function, which only some readers
	// evaluate; Quoted ones are in an annotation that is a text.
	Hint, Quoted bool
}

// Alone describes a text that runs by itself.
type Alone struct {
	// Free are the names that it needs from outside, in the order of the text.
	Free []Free
	// Functions are the functions that it defines at its top level.
	Functions []string
	// Returns is the return annotation of the last function: a dotted name, "…" for
	// anything else, empty for none.
	Returns string
}

// ReadAlone returns what a text needs from outside when it runs by itself.
func ReadAlone(text string) (*Alone, error) {
	body, err := parse(&File{Name: "function", Source: text})
	if err != nil {
		return nil, err
	}
	f, top := &finder{}, &frame{bound: map[string]bool{}}
	for _, n := range assigned(body) {
		top.bound[n] = true
	}
	f.body(top, body)
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

// annotation formats a return annotation.
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
	outer       *frame
	bound       map[string]bool
	class, late bool
}

// inner is the scope of a body: names that it declares global or nonlocal are not
// its own.
func (fr *frame) inner(b *binding, late bool) *frame {
	in := &frame{outer: fr, bound: map[string]bool{}, class: b.class, late: late || fr.late}
	for n := range b.bound {
		in.bound[n] = !b.global[n] && !b.outer[n]
	}
	return in
}

// finds reports whether a name is bound in a scope or around it; names of a class
// are visible only in the class body.
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

// finder collects the names that a text uses.
type finder struct {
	uses []use
	hint bool
	// quoted is the start of the current quoted annotation; nil for others.
	quoted *int
}

func (f *finder) body(fr *frame, body []stmt) {
	for _, s := range body {
		f.stmt(fr, s)
	}
}

func (f *finder) stmt(fr *frame, s stmt) {
	switch s := s.(type) {
	case *scopeStmt:
		for _, n := range s.names {
			if s.global { // a global name is not the function's own
				f.uses = append(f.uses, use{Free{Name: n, At: s.at, Late: true}, &frame{}})
			}
		}
	case *funcStmt:
		f.exprs(fr, s.decorators)
		f.annotation(fr, s.returns)
		f.outside(fr, s.params)
		f.body(fr.inner(s.binds, true), s.body)
	case *classStmt:
		f.exprs(fr, exprsOf(s))
		f.body(fr.inner(s.binds, false), s.body)
	case *annotatedStmt:
		if !fr.late { // annotations in a function are not evaluated
			f.expr(fr, s.kind)
		}
		f.exprs(fr, []expr{s.target, s.value})
	default:
		exprs, blocks := partsOf(s)
		f.exprs(fr, exprs)
		for _, b := range blocks {
			f.body(fr, b)
		}
	}
}

// outside collects the names that parameters use from around their function.
func (f *finder) outside(fr *frame, params []param) {
	for _, p := range params {
		f.expr(fr, p.fallback)
		f.annotation(fr, p.kind)
	}
}

// annotation collects the names of an annotation, also of a quoted one.
func (f *finder) annotation(fr *frame, e expr) {
	f.hint = true
	defer func() { f.hint, f.quoted = false, nil }()
	if c, ok := e.(*constExpr); ok {
		text, _ := c.value.(string)
		if body, err := parse(&File{Source: text}); err == nil {
			f.quoted = &c.at
			f.body(fr, body)
		}
		return
	}
	f.expr(fr, e)
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
		if f.quoted != nil {
			u.At, u.Quoted = *f.quoted, true
		}
		f.uses = append(f.uses, u)
	case *lambdaExpr:
		f.outside(fr, e.params)
		f.expr(fr.inner(e.binds, true), e.body)
	case *comprehension:
		in := &frame{outer: fr, bound: map[string]bool{}, late: fr.late}
		for i, c := range e.clauses {
			for _, n := range targetNames(c.target) {
				in.bound[n] = true
			}
			from := in
			if i == 0 {
				from = fr
			}
			f.expr(from, c.source)
			f.exprs(in, append([]expr{c.target}, c.conds...))
		}
		f.exprs(in, []expr{e.key, e.value})
	default:
		f.exprs(fr, children(e))
	}
}

// Import returns the statement that binds a name in the module of a function, if
// it is a top-level import of an outside module and the only binding of the name.
// It returns false for all other names.
func (c *Call) Import(f *Function, name string) (string, bool) {
	if f == nil || f.scope == nil || c.run == nil {
		return "", false
	}
	for s := f.scope; s != nil && s != s.top; s = s.outer {
		if _, ok := s.names[name]; ok || s.kind == scopeClass {
			return "", false
		}
	}
	body, err := parse(f.scope.file)
	if err != nil || len(slices.DeleteFunc(assigned(body), func(n string) bool { return n != name })) != 1 {
		return "", false
	}
	line, module := importOf(body, name)
	top, _, _ := strings.Cut(module, ".")
	if line == "" || top == "" || top == "__future__" {
		return "", false
	}
	file, pkg := c.run.host.Find(top)
	return line, file == nil && !pkg
}

// importOf formats the import statement that binds a name, and returns its module.
func importOf(body []stmt, name string) (line, module string) {
	for _, s := range body {
		switch s := s.(type) {
		case *groupStmt:
			if line, module = importOf(s.body, name); line != "" {
				return line, module
			}
		case *importStmt:
			switch {
			case s.as != name:
			case s.whole || s.module == name:
				return "import " + s.module, s.module
			default:
				return "import " + s.module + " as " + name, s.module
			}
		case *fromStmt:
			for _, n := range s.names {
				if n.as == name && n.name != name {
					return "from " + s.module + " import " + n.name + " as " + name, s.module
				}
				if n.as == name {
					return "from " + s.module + " import " + name, s.module
				}
			}
		}
	}
	return "", ""
}
