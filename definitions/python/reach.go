package python

import (
	"fmt"
	"slices"
	"strings"
)

// reach finds what code could affect that is not run.
type reach struct {
	run  *Interpreter
	seen map[any]bool
}

// makes reports whether a value is a definition, makes one when called, or
// contains either.
func (r *Interpreter) makes(v any) bool { return (&reach{r, map[any]bool{}}).value(v) }

// disturbs reports whether calling a value may change values of the files.
func (r *Interpreter) disturbs(v any) bool {
	return (&reach{r, map[any]bool{}}).disturbs(v)
}

// disturbs also checks containers, since their items may be called.
func (x *reach) disturbs(v any) bool {
	return x.run.charge(1) != nil || x.disturbing(v) // after an error the caller looks at the meter
}

func (x *reach) disturbing(v any) bool {
	switch v := v.(type) {
	case *Builtin:
		return v.changes || x.disturbs(v.of)
	case *Function:
		return x.changes(v)
	case *Class:
		return x.methods(v, x.classChanges)
	case *Instance: // its constructor has run
		return x.methods(v.Class, func(f *Function) bool { return f.Name != "__init__" && f.Name != "__post_init__" && x.changes(f) })
	case Tuple:
		return slices.ContainsFunc(v, x.disturbs)
	case *List:
		if !x.seen[v] {
			x.seen[v] = true
			return slices.ContainsFunc(v.Items, x.disturbs)
		}
	case *Dict:
		if !x.seen[v] {
			x.seen[v] = true
			for _, item := range v.All() {
				if x.disturbs(item) {
					return true
				}
			}
		}
	}
	return false
}

// changers are the container methods that change the container.
func changers() []string {
	return []string{
		"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem", "add", "discard",
		"__setitem__", "__delitem__", "appendleft", "extendleft", "popleft", "rotate", "move_to_end", "subtract",
		"difference_update", "intersection_update", "symmetric_difference_update", "__next__", "send", "throw", "close",
	}
}

func (x *reach) value(v any) bool {
	if x.run.charge(1) != nil {
		return true // the caller looks at the meter
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return false
	case Tuple:
		return slices.ContainsFunc(v, x.value)
	case *Unknown:
		return v.Trust != Harmless
	case *Builtin:
		return v.Definer || v.of != nil && x.value(v.of)
	case *namespace, *loaded:
		return true
	case *descriptor:
		return x.value(v.fn) || x.value(v.set) || x.value(v.del)
	}
	if !hashable(v) || x.seen[v] {
		return false
	}
	x.seen[v] = true
	if x.run.isMade[v] {
		return true
	}
	return x.holds(v)
}

// hashable reports whether a value is a pointer: only pointers can refer to other
// values.
func hashable(v any) bool {
	switch v.(type) {
	case *List, *Dict, *Set, *Iterator, *Module, *Function, *Class, *Instance, Object:
		return true
	}
	return false
}

func (x *reach) dict(d *Dict) bool {
	for k, item := range d.All() {
		if x.value(k) || x.value(item) {
			return true
		}
	}
	return false
}

func (x *reach) holds(v any) bool {
	switch v := v.(type) {
	case *List:
		return slices.ContainsFunc(v.Items, x.value)
	case *Dict:
		return x.dict(v)
	case *Set:
		return slices.ContainsFunc(v.Items(), x.value)
	case *Iterator:
		return true // its items are computed on request
	case *View:
		return x.value(v.dict)
	case *Module:
		return x.names(v.Names)
	case *Function:
		return x.function(v)
	case *Class:
		return x.names(v.Members) || slices.ContainsFunc(v.bases, x.value)
	case *Instance:
		return x.value(v.Class) || x.value(&v.own) || x.value(v.tuple)
	}
	return false
}

func (x *reach) names(names map[string]any) bool {
	for _, v := range names {
		if x.value(v) {
			return true
		}
	}
	return false
}

func (x *reach) function(f *Function) bool {
	for _, d := range f.defaults {
		if d != nil && x.value(*d) {
			return true
		}
	}
	if f.bound && x.value(f.self) {
		return true
	}
	return x.body(f.scope, f.statements())
}

// statements are the body of a function, or the expression of a lambda.
func (f *Function) statements() []stmt {
	if f.result != nil {
		return []stmt{&exprStmt{node{f.result.pos()}, f.result}}
	}
	return f.body
}

// body reports whether statements in a scope mention anything that makes
// definitions, or import it.
func (x *reach) body(s *scope, body []stmt) bool {
	found := false
	walk(body, func(n string) {
		if found {
			return
		}
		if v, ok := s.get(n); ok {
			found = x.value(v)
			return
		}
		switch n {
		case "globals", "locals", "vars", "setattr", "delattr", "exec", "eval", "compile", "__import__", "breakpoint", "input":
			found = true
		}
	})
	if found {
		return true
	}
	var modules []string
	collectImports(body, &modules)
	return slices.ContainsFunc(modules, x.imports)
}

// imports reports whether a module may contain definitions.
func (x *reach) imports(module string) bool {
	if _, ok := x.run.host.Module(module); ok {
		return true
	}
	if strings.HasPrefix(module, ".") || !DefinesNothing(module) {
		return true
	}
	top, _, _ := strings.Cut(module, ".")
	file, pkg := x.run.host.Find(top)
	return file != nil || pkg
}

// changes reports whether a function, or one that it calls, changes values that
// are not its own.
func (x *reach) changes(f *Function) bool { return x.changesBut(f, "") }

// classChanges is changes for a method, which may change its own object.
func (x *reach) classChanges(f *Function) bool {
	if len(f.params) == 0 {
		return x.changes(f)
	}
	return x.changesBut(f, f.params[0].name)
}

func (x *reach) changesBut(f *Function, own string) bool {
	if x.seen[f] {
		return false
	}
	x.seen[f] = true
	body := f.statements()
	changesOther := func(n string) bool { return n != own && !fresh(body, n) }
	return declaresOutside(body) || slices.ContainsFunc(changed(body), changesOther) || x.callsChanging(f.scope, body)
}

// callsChanging reports whether statements mention a function that changes values
// that are not its own.
func (x *reach) callsChanging(s *scope, body []stmt) bool {
	found := false
	walk(body, func(n string) {
		v, ok := s.get(n)
		if f, isFunction := v.(*Function); ok && isFunction && !found {
			found = x.changes(f)
		}
		if c, isClass := v.(*Class); isClass && !found {
			found = x.methods(c, x.classChanges)
		}
	})
	return found
}

// methods reports whether a test holds for a method of a class of the file.
func (x *reach) methods(c *Class, test func(*Function) bool) bool {
	for _, m := range c.Members {
		if d, ok := m.(*descriptor); ok {
			m = d.fn
		}
		if f, ok := m.(*Function); ok && test(f) {
			return true
		}
	}
	return slices.ContainsFunc(c.bases, func(b any) bool {
		base, ok := b.(*Class)
		return ok && x.methods(base, test)
	})
}

// declaresOutside reports whether statements contain a global or nonlocal
// statement.
func declaresOutside(body []stmt) bool {
	return anyStmt(body, false, func(s stmt) bool {
		_, ok := s.(*scopeStmt)
		return ok
	})
}

// fresh reports whether a name is bound in the statements, each time to a new
// value.
func fresh(body []stmt, name string) bool {
	bound, shared := false, false
	anyStmt(body, false, func(s stmt) bool {
		a, ok := s.(*assignStmt)
		if !ok {
			shared = shared || slices.Contains(assignedBy(s), name) && !isBlock(s)
			return false
		}
		if !slices.Contains(targetNames(a.targets...), name) {
			return false
		}
		bound = true
		switch a.value.(type) {
		case *listExpr, *dictExpr, *setExpr, *comprehension, *fstring, *constExpr, *binaryExpr:
			shared = shared || len(a.targets) != 1
		default:
			shared = true
		}
		return false
	})
	return bound && !shared
}

// isBlock reports whether a statement holds others.
func isBlock(s stmt) bool {
	_, blocks := partsOf(s)
	return len(blocks) > 0
}

// uncertain refuses code that may or may not run if definitions could depend on
// it; other names that it binds become Unknown. why says what is not known.
func (r *Interpreter) uncertain(s *scope, at int, why string, blocks ...[]stmt) error {
	for _, body := range blocks {
		if what := r.matters(s, body); what != "" {
			return s.file.fail(at, "%s cannot be known without running Python, and %s; write this without it", why, what)
		}
	}
	unknown := &Unknown{Why: why, Trust: Harmless}
	for _, body := range blocks {
		for _, n := range assigned(body) {
			if _, ok := s.names[n].(*Unknown); !ok {
				s.set(n, unknown)
			}
		}
	}
	return nil
}

// matters says why it must be known whether code runs; "" if it does not affect
// definitions.
func (r *Interpreter) matters(s *scope, body []stmt) string {
	x := &reach{r, map[any]bool{}}
	if x.body(s, body) {
		return "definitions depend on it"
	}
	if declaresOutside(body) || (&reach{r, map[any]bool{}}).callsChanging(s, body) {
		return "it changes values of the file"
	}
	for _, n := range assigned(body) {
		if v, ok := s.get(n); ok && x.value(v) {
			return fmt.Sprintf("'%s' is or makes a definition", n)
		}
	}
	for _, n := range changed(body) {
		if v, ok := s.get(n); ok && mutable(v) && !fresh(body, n) {
			return fmt.Sprintf("it may change '%s'", n)
		}
	}
	for _, n := range partsSet(body) {
		if v, _ := s.get(n); n != "" {
			if _, ok := v.(*Module); ok {
				return fmt.Sprintf("it may change '%s'", n)
			}
		}
	}
	return ""
}

// mutable reports whether a value can be changed in place.
func mutable(v any) bool {
	switch v := v.(type) {
	case *List, *Dict, *Set, *Iterator, *Class, *Instance, *namespace, *loaded:
		return true
	case *Module:
		return v.Missing == nil
	case Exact:
		return false
	case Object:
		return true
	}
	return false
}
