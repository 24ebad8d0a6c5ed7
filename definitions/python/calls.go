package python

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Call is one call of a Builtin.
type Call struct {
	Args  []any
	Names []string // names of the keyword arguments, in order
	Named []any
	// PassesUnknown is set if the call spreads an Unknown value: it may have more
	// arguments than are listed.
	PassesUnknown *Unknown
	run           *Interpreter
	scope         *scope
	at            int
	places        map[string]int
	named         map[string]bool // the Names, if they are many
}

// Arg returns a keyword argument.
func (c *Call) Arg(name string) (any, bool) {
	i := slices.Index(c.Names, name)
	if i < 0 {
		return nil, false
	}
	return c.Named[i], true
}

// take returns an argument by name or by position.
func (c *Call) take(i int, name string) (any, bool) {
	if v, ok := c.Arg(name); ok {
		return v, true
	}
	if i >= 0 && i < len(c.Args) {
		return c.Args[i], true
	}
	return nil, false
}

// Invoke calls a value with positional arguments.
func (c *Call) Invoke(fn any, args ...any) (any, error) {
	return c.run.invoke(fn, &Call{Args: args})
}

// Later runs a function after all files have been read; its error points at this
// call.
func (c *Call) Later(f func() error) {
	if c.run == nil {
		return
	}
	s, at := c.scope, c.at
	c.run.later = append(c.run.later, func() error { return s.locate(at, f()) })
}

// Fail makes an error that points at the call.
func (c *Call) Fail(format string, args ...any) error {
	return c.scope.locate(c.at, fmt.Errorf(format, args...))
}

// Blame makes an error point at one of the call's arguments.
func (c *Call) Blame(name string, err error) error {
	at, ok := c.places[name]
	if !ok {
		return err
	}
	return c.scope.locate(at, err)
}

// call evaluates a call.
func (r *Interpreter) call(s *scope, e *callExpr) (any, error) {
	fn, err := r.eval(s, e.fn)
	if err != nil {
		return nil, err
	}
	c := &Call{scope: s, at: e.at}
	if from := s.holder().caller; from != nil {
		c.scope, c.at = from.scope, from.at
	}
	for i, a := range e.args {
		v, err := r.eval(s, a.value)
		if err != nil {
			return nil, err
		}
		if err := r.pass(c, a, v); err != nil {
			return nil, s.locate(a.value.pos(), err)
		}
		if c.places == nil {
			c.places = map[string]int{}
		}
		if a.name != "" {
			c.places[a.name] = a.value.pos()
		} else if a.spread == 0 {
			c.places[fmt.Sprint(i)] = a.value.pos()
		}
	}
	return r.invoke(fn, c)
}

// pass adds an argument to a call.
func (r *Interpreter) pass(c *Call, a argument, v any) error {
	u, unknown := v.(*Unknown)
	switch {
	case a.name != "":
		return c.name(a.name, v)
	case a.spread == 0:
		c.Args = append(c.Args, v)
	case unknown:
		c.PassesUnknown = u
	case a.spread == 1:
		items, err := r.items(v)
		c.Args = append(c.Args, items...)
		return err
	default:
		d, ok := v.(*Dict)
		if !ok {
			return raise("TypeError", "argument after ** must be a mapping, not %s", TypeName(v))
		}
		if err := r.charge(2 * d.Len()); err != nil {
			return err
		}
		for k, v := range d.All() {
			n, ok := asText(k)
			if !ok {
				return raise("TypeError", "keywords must be strings")
			}
			if err := c.name(n, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Call) name(n string, v any) error {
	if c.hasName(n) {
		return raise("TypeError", "argument '%s' is given twice", n)
	}
	c.Names, c.Named = append(c.Names, n), append(c.Named, v)
	return nil
}

// hasName reports whether a keyword argument is given.
func (c *Call) hasName(n string) bool {
	const few = 16
	if len(c.Names) < few {
		return slices.Contains(c.Names, n)
	}
	if len(c.named) == 0 {
		c.named = map[string]bool{}
		for _, given := range c.Names {
			c.named[given] = true
		}
	}
	again := c.named[n]
	c.named[n] = true
	return again
}

// invoke calls a value.
func (r *Interpreter) invoke(fn any, c *Call) (any, error) {
	if r.calls >= maxCalls {
		return nil, fmt.Errorf("calls are nested too deep")
	}
	r.calls++
	defer func() { r.calls-- }()
	if err := r.charge(1); err != nil {
		return nil, err
	}
	c.run = r
	switch f := fn.(type) {
	case *Unknown:
		return r.callUnknown(f, c)
	case *Builtin:
		return r.invokeBuiltin(f, c)
	case *Function:
		return r.invokeFunction(f, c)
	case *Class:
		return r.instantiate(f, c)
	case *Instance:
		if m := f.special("__call__"); m != nil {
			return r.invoke(m, c)
		}
	}
	return nil, raise("TypeError", "'%s' object is not callable", TypeName(fn))
}

func (r *Interpreter) invokeBuiltin(f *Builtin, c *Call) (any, error) {
	if f.Call == nil {
		return &Unknown{Why: f.Name}, nil
	}
	if u := c.PassesUnknown; u != nil {
		if f.Definer || f.changes || mutable(f.of) {
			return nil, fmt.Errorf("%s is given arguments that cannot be known without running Python (%s); write them out", f.Name, u.Why)
		}
		return r.mixed(u.but("%s() of %s", f.Name, u.Why), append(append([]any{f.of}, c.Args...), c.Named...)...), nil
	}
	weighed := append(slices.Clone(c.Args), c.Named...)
	if !f.light {
		weighed = append(weighed, f.of)
	}
	if err := r.weigh(weighed...); err != nil {
		return nil, err
	}
	if f.Definer {
		if err := r.keeps(c); err != nil {
			return nil, err
		}
	}
	v, err := f.Call(c)
	if err == nil {
		err = r.after(f, c, v)
	}
	if err == nil && f.Definer {
		r.remember(v, c)
	}
	if _, unknown := v.(*Unknown); unknown && !tellsOnly(f.Name) {
		v = r.mixed(v, append(append([]any{f.of}, c.Args...), c.Named...)...)
	}
	return v, err
}

// keeps counts what a definer makes of its arguments, and keeps.
func (r *Interpreter) keeps(c *Call) error {
	bytes, steps := madeSize, 0
	for _, list := range [][]any{c.Args, c.Named} {
		for _, v := range list {
			steps += 4 * weight(v)
			switch v := v.(type) {
			case *Dict:
				bytes += v.Len() * entrySize
			case *List:
				bytes += v.Len() * itemSize
			case Tuple:
				bytes += v.Len() * itemSize
			default:
				bytes += textSize(v)
			}
		}
	}
	return cmp.Or(r.charge(steps), r.meter.take(bytes))
}

// after counts the memory that a call has added: to its value, its arguments and
// its result.
func (r *Interpreter) after(f *Builtin, c *Call, v any) error {
	if err := r.meter.hold(f.of); err != nil {
		return err
	}
	for _, a := range c.Args {
		switch a.(type) {
		case *List, *Dict, *Set, *Instance:
			if err := r.meter.hold(a); err != nil {
				return err
			}
		}
	}
	switch v.(type) {
	case string, Bytes, Tuple: // eval counts them
		return nil
	}
	if _, object := v.(Kinded); object {
		return r.meter.take(instanceSize)
	}
	return r.meter.hold(v)
}

// remember records the result of a definer.
func (r *Interpreter) remember(v any, c *Call) {
	r.isMade[v] = true
	made := Made{Value: v}
	if c.scope != nil {
		made.file, made.at = c.scope.file, c.at
	}
	r.made = append(r.made, made)
}

func (r *Interpreter) invokeFunction(f *Function, c *Call) (any, error) {
	if f.async {
		return nil, fmt.Errorf("async functions are not run, and %s() is one; write a plain function", f.Name)
	}
	if c.PassesUnknown != nil {
		return nil, fmt.Errorf("%s() is given arguments that cannot be known without running Python (%s); write them out", f.Name, c.PassesUnknown.Why)
	}
	s := f.scope.inner(scopeFunction, f.scope.file)
	s.function, s.binds = f, f.binds
	if s.file.own {
		s.caller = c
	}
	args := c.Args
	if f.bound {
		args = append([]any{f.self}, args...)
	}
	if len(args) > 0 {
		s.self = args[0]
	}
	if err := bindParams(s, f, args, c); err != nil {
		return nil, err
	}
	if f.result != nil {
		return r.eval(s, f.result)
	}
	if f.generator {
		return r.generate(s, f), r.meter.take(2 * iteratorSize)
	}
	sig, err := r.run(s, f.body)
	return sig.value, err
}

// defaults evaluates the defaults of a function's parameters.
func (r *Interpreter) defaults(s *scope, f *Function) error {
	f.defaults = make([]*any, len(f.params))
	for i, p := range f.params {
		if p.fallback == nil {
			continue
		}
		v, err := r.eval(s, p.fallback)
		if err != nil {
			return err
		}
		f.defaults[i] = &v
	}
	return nil
}

// bindParams assigns the arguments of a call to the parameters of a function.
func bindParams(s *scope, f *Function, args []any, c *Call) error {
	used := map[string]bool{}
	for i, p := range f.params {
		s.order = append(s.order, p.name)
		var named any
		isNamed := false
		if p.rest == 0 && !p.positional {
			named, isNamed = c.Arg(p.name)
		}
		switch {
		case p.rest == 1:
			s.names[p.name], args = Tuple(slices.Clone(args)), nil
		case p.rest == 2:
			d, err := c.otherNames(used)
			if err != nil {
				return err
			}
			s.names[p.name] = d
		case len(args) > 0 && !p.keyword:
			if isNamed {
				return raise("TypeError", "%s() got multiple values for argument '%s'", f.Name, p.name)
			}
			s.names[p.name], args = args[0], args[1:]
		case isNamed:
			s.names[p.name], used[p.name] = named, true
		case i < len(f.defaults) && f.defaults[i] != nil:
			s.names[p.name] = *f.defaults[i]
		default:
			return raise("TypeError", "%s() missing required argument '%s'", f.Name, p.name)
		}
	}
	return f.checkLeft(c, used, len(args))
}

// checkLeft refuses arguments without a parameter.
func (f *Function) checkLeft(c *Call, used map[string]bool, more int) error {
	for _, n := range c.Names {
		if !used[n] {
			return raise("TypeError", "%s() got an unexpected keyword argument '%s'", f.Name, n)
		}
	}
	if more > 0 {
		return raise("TypeError", "%s() takes %d arguments too few for this call", f.Name, more)
	}
	return nil
}

// otherNames returns the keyword arguments without a parameter, for **kwargs.
func (c *Call) otherNames(used map[string]bool) (*Dict, error) {
	d := c.run.newDict()
	for i, n := range c.Names {
		if used[n] {
			continue
		}
		used[n] = true
		if err := d.Put(n, c.Named[i]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// define binds a function, after applying its decorators.
func (r *Interpreter) define(s *scope, st *funcStmt) error {
	if err := r.meter.take(functionSize); err != nil {
		return err
	}
	f := &Function{
		Name: st.name, Source: st.source, from: st.from, Decorators: len(st.decorators), params: st.params, body: st.body, generator: st.generator, async: st.async,
		scope: s, owner: s.owner, binds: st.binds, qual: s.qualified(st.name),
	}
	decorators, err := r.display(s, st.decorators)
	if err == nil {
		err = r.defaults(s, f)
	}
	if err != nil {
		return err
	}
	v, err := r.decorate(s, st.decorators, decorators, f)
	if err != nil {
		return err
	}
	return r.assign(s, st.name, v)
}

// decorate applies decorators, the last one first.
func (r *Interpreter) decorate(s *scope, decorators []expr, made []any, v any) (any, error) {
	for i := len(decorators) - 1; i >= 0; i-- {
		var err error
		at := decorators[i].pos()
		if v, err = r.invoke(made[i], &Call{Args: []any{v}, scope: s, at: at}); err != nil {
			return nil, s.locate(at, err)
		}
	}
	return v, nil
}

// Fail makes an error that points at a byte of the function's Source.
func (f *Function) Fail(at int, format string, args ...any) error {
	file := f.scope.file
	start := strings.LastIndexByte(file.Source[:f.from], '\n') + 1
	if strings.Contains(file.Source, "\r\n") {
		at += strings.Count(f.Source[:min(at, len(f.Source))], "\n")
	}
	return file.fail(start+at, format, args...)
}
