package python

import (
	"fmt"
	"slices"
	"strings"
)

// call evaluates a call.
func (r *Interpreter) call(s *scope, e *callExpr) (any, error) {
	fn, err := r.eval(s, e.fn)
	if err != nil {
		return nil, err
	}
	c := &Call{run: r}
	for _, a := range e.args {
		v, err := r.eval(s, a.value)
		if err != nil {
			return nil, err
		}
		if err := c.add(a, v); err != nil {
			return nil, s.file.fail(a.value.pos(), "%s", err)
		}
	}
	return r.invoke(fn, c)
}

func (c *Call) add(a argument, v any) error {
	switch {
	case a.name != "":
		if slices.Contains(c.Names, a.name) {
			return fmt.Errorf("argument '%s' is given twice", a.name)
		}
		c.Names, c.Named = append(c.Names, a.name), append(c.Named, v)
	case a.spread == 0:
		c.Args = append(c.Args, v)
	case a.spread == 1:
		items, ok := Items(v)
		if !ok {
			return fmt.Errorf("a %s cannot be spread", TypeName(v))
		}
		c.Args = append(c.Args, items...)
	default:
		d, ok := v.(*Dict)
		if !ok {
			return fmt.Errorf("a %s cannot be spread into arguments", TypeName(v))
		}
		for i, k := range d.Keys {
			name, _ := k.(string)
			c.Names, c.Named = append(c.Names, name), append(c.Named, d.Values[i])
		}
	}
	return nil
}

// invoke calls a value.
func (r *Interpreter) invoke(fn any, c *Call) (any, error) {
	if r.calls++; r.calls > maxCalls {
		return nil, fmt.Errorf("calls are nested too deep")
	}
	defer func() { r.calls-- }()
	c.run = r
	switch f := fn.(type) {
	case *Unknown:
		return &Unknown{Why: f.Why}, nil
	case *Builtin:
		if f.Call == nil {
			return &Unknown{Why: f.Name}, nil
		}
		return f.Call(c)
	case *Function:
		return r.invokeFunction(f, c)
	case *Class:
		return r.instantiate(f, c)
	case *Instance:
		if m, ok := f.attr("__call__"); ok {
			return r.invoke(m, c)
		}
	}
	return nil, fmt.Errorf("a %s cannot be called", TypeName(fn))
}

func (r *Interpreter) invokeFunction(f *Function, c *Call) (any, error) {
	s := &scope{names: map[string]any{}, outer: f.scope, file: f.file}
	args := c.Args
	if f.bound != nil {
		args = append([]any{f.bound}, args...)
	}
	if err := r.bindParams(s, f, args, c); err != nil {
		return nil, err
	}
	if f.result != nil {
		return r.eval(s, f.result)
	}
	sig, err := r.run(s, f.body)
	return sig.value, err
}

func (r *Interpreter) bindParams(s *scope, f *Function, args []any, c *Call) error {
	named := map[string]any{}
	for i, n := range c.Names {
		named[n] = c.Named[i]
	}
	for _, p := range f.params {
		v, isNamed := named[p.name]
		delete(named, p.name)
		switch {
		case p.rest == 1:
			s.names[p.name], args = Tuple(args), nil
		case p.rest == 2:
			d := &Dict{}
			for _, n := range c.Names {
				if v, ok := named[n]; ok {
					d.Put(n, v)
					delete(named, n)
				}
			}
			s.names[p.name] = d
		case len(args) > 0 && !p.keyword:
			s.names[p.name], args = args[0], args[1:]
		case isNamed:
			s.names[p.name] = v
		case p.fallback != nil:
			v, err := r.eval(f.scope, p.fallback)
			if err != nil {
				return err
			}
			s.names[p.name] = v
		default:
			return fmt.Errorf("%s() lacks argument '%s'", f.Name, p.name)
		}
	}
	for n := range named {
		return fmt.Errorf("%s() has no argument '%s'", f.Name, n)
	}
	if len(args) > 0 {
		return fmt.Errorf("%s() is given %d arguments too many", f.Name, len(args))
	}
	return nil
}

// define binds a function, after its decorators.
func (r *Interpreter) define(s *scope, st *funcStmt) error {
	var v any = &Function{Name: st.name, Source: st.source, params: st.params, body: st.body, scope: s, module: s.module, file: s.file}
	v, err := r.decorate(s, st.decorators, v)
	if err != nil {
		return err
	}
	s.set(st.name, v)
	return nil
}

func (r *Interpreter) decorate(s *scope, decorators []expr, v any) (any, error) {
	for _, d := range slices.Backward(decorators) {
		fn, err := r.eval(s, d)
		if err != nil {
			return nil, err
		}
		if _, ok := fn.(*Unknown); ok {
			continue // what a decorator of elsewhere makes of it does not matter here
		}
		if v, err = r.invoke(fn, &Call{Args: []any{v}}); err != nil {
			return nil, s.locate(d.pos(), err)
		}
	}
	return v, nil
}

// class binds a class of the file.
func (r *Interpreter) class(s *scope, st *classStmt) error {
	c := &Class{Name: st.name, Members: map[string]any{}}
	for _, b := range st.bases {
		if b.name != "" {
			continue
		}
		v, err := r.eval(s, b.value)
		if err != nil {
			return err
		}
		c.bases = append(c.bases, v)
		if u, ok := v.(*Unknown); ok && strings.HasPrefix(u.Why, "enum.") {
			c.enum = true
		}
	}
	body := &scope{names: c.Members, outer: s, file: s.file}
	if _, err := r.run(body, st.body); err != nil {
		return err
	}
	if c.enum {
		c.makeMembers(st.body)
	}
	v, err := r.decorate(s, st.decorators, c)
	if err != nil {
		return err
	}
	s.set(st.name, v)
	return nil
}

// makeMembers turns the values of an enumeration into its members.
func (c *Class) makeMembers(body []stmt) {
	for _, st := range body {
		a, ok := st.(*assignStmt)
		if !ok || len(a.targets) != 1 {
			continue
		}
		n, ok := a.targets[0].(*nameExpr)
		if !ok {
			continue
		}
		c.Members[n.name] = &Instance{Class: c, Members: map[string]any{"name": n.name, "value": c.Members[n.name]}}
		c.order = append(c.order, n.name)
	}
}

func (c *Class) member(name string) (any, bool) {
	if v, ok := c.Members[name]; ok {
		return v, true
	}
	for _, b := range c.bases {
		switch b := b.(type) {
		case *Class:
			if v, ok := b.member(name); ok {
				return v, true
			}
		case *Unknown:
			return &Unknown{Why: b.Why}, true
		}
	}
	return nil, false
}

func (o *Instance) attr(name string) (any, bool) {
	if v, ok := o.Members[name]; ok {
		return v, true
	}
	v, ok := o.Class.member(name)
	if f, isFunction := v.(*Function); isFunction {
		method := *f
		method.bound = o
		return &method, true
	}
	return v, ok
}

// instantiate makes an object of a class of the file.
func (r *Interpreter) instantiate(c *Class, call *Call) (any, error) {
	o := &Instance{Class: c, Members: map[string]any{}}
	init, ok := o.attr("__init__")
	if ok {
		_, err := r.invoke(init, call)
		return o, err
	}
	if len(call.Args) > 0 && c.enum {
		for _, n := range c.order {
			m, _ := c.Members[n].(*Instance)
			if equal(m.Members["value"], call.Args[0]) {
				return m, nil
			}
		}
	}
	for i, n := range call.Names { // a data class, or one that Unknown bases make
		o.Members[n] = call.Named[i]
	}
	if len(call.Args) > 0 {
		return &Unknown{Why: "an object of class " + c.Name}, nil
	}
	return o, nil
}

// importModule is "import a.b" and "import a.b as c".
func (r *Interpreter) importModule(s *scope, st *importStmt) error {
	m, err := r.module(s, st.module)
	if err != nil {
		return err
	}
	if !st.whole {
		s.set(st.as, m)
		return nil
	}
	top, _, dotted := strings.Cut(st.module, ".")
	if !dotted {
		s.set(st.as, m)
		return nil
	}
	whole, err := r.module(s, top)
	if err != nil {
		return err
	}
	if mod, ok := whole.(*Module); ok {
		nest(mod, strings.Split(st.module, ".")[1:], m)
	}
	s.set(st.as, whole)
	return nil
}

// nest makes a.b.c reachable through module a.
func nest(m *Module, path []string, leaf any) {
	for i, part := range path {
		if i == len(path)-1 {
			if _, ok := m.Names[part]; !ok {
				m.Names[part] = leaf
			}
			return
		}
		next, ok := m.Names[part].(*Module)
		if !ok {
			next = &Module{Name: part, Names: map[string]any{}}
			m.Names[part] = next
		}
		m = next
	}
}

// module finds a module: of the host, of the repository, else Unknown.
func (r *Interpreter) module(s *scope, name string) (any, error) {
	if m, ok := r.host.Module(name); ok {
		return m, nil
	}
	if f, ok := r.host.Find(name, s.file); ok {
		return r.Load(f, strings.TrimLeft(name, "."))
	}
	return &Unknown{Why: name}, nil
}

// importNames is "from a import b".
func (r *Interpreter) importNames(s *scope, st *fromStmt) error {
	from, err := r.module(s, st.module)
	if err != nil {
		return err
	}
	for _, n := range st.names {
		if n.name == "*" {
			r.importAll(s, from)
			continue
		}
		v, err := r.importName(s, st, from, n.name)
		if err != nil {
			return err
		}
		s.set(n.as, v)
	}
	return nil
}

func (r *Interpreter) importName(s *scope, st *fromStmt, from any, name string) (any, error) {
	if m, ok := from.(*Module); ok {
		if v, ok := m.Names[name]; ok {
			return v, nil
		}
	}
	sub, err := r.module(s, strings.TrimSuffix(st.module, ".")+"."+name)
	if err != nil {
		return nil, err
	}
	if _, unknown := sub.(*Unknown); !unknown {
		return sub, nil
	}
	if m, ok := from.(*Module); ok && !m.Open {
		return nil, s.file.fail(st.at, "cannot import name '%s' from '%s'", name, st.module)
	}
	return &Unknown{Why: strings.TrimLeft(st.module, ".") + "." + name}, nil
}

func (r *Interpreter) importAll(s *scope, from any) {
	m, ok := from.(*Module)
	if !ok {
		return
	}
	names := m.order
	if names == nil {
		for n := range m.Names {
			names = append(names, n)
		}
		slices.Sort(names)
	}
	if all, ok := m.Names["__all__"].(*List); ok {
		names = nil
		for _, n := range all.Items {
			names = append(names, Str(n))
		}
	}
	for _, n := range names {
		if v, ok := m.Names[n]; ok && !strings.HasPrefix(n, "_") {
			s.set(n, v)
		}
	}
}
