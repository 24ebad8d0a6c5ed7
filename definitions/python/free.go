package python

import (
	"fmt"
	"slices"
	"strings"
)

// Free is a name that a text uses and does not bind.
type Free struct {
	Name string
	// At is the byte of the text at which it stands.
	At int
	// Late names are looked up when a function is called, others at once.
	Late bool
	// Hint names stand in the annotation of a function, which only some readers
	// look at, Quoted ones in one that is a text.
	Hint, Quoted bool
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
	// quoted is where the quoted annotation that is read starts; nil for others.
	quoted *int
	err    error
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

// Import gives the statement that binds a name in the module of a function: an
// import at its top, of a module of elsewhere, and the only one that binds it.
// False for all other names.
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

// importOf writes the import statement that binds a name, and gives its module.
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
