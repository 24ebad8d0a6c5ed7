package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

// nested is a lambda, or a function within a function. Its variables are a range of
// those of the function around it, so that it reads the variables of that function
// as they are when it is called.
type nested struct {
	name     string
	params   []param
	value    code     // of a lambda
	body     []action // of a function
	from, to int      // its variables
}

// closure is a nested function in a run, with the frame that it was made in.
type closure struct {
	*nested
	base, frame int
}

// frameOf is a call that has not ended. Of is nil for a function of the text.
type frameOf struct {
	of         *nested
	base, made int
}

func (m *machine) push(of *nested, base int) {
	m.frame++
	m.frames = append(m.frames, frameOf{of, base, m.frame})
}

func (m *machine) pop() { m.frames = m.frames[:len(m.frames)-1] }

func (c *compiler) lambda(e *syntax.Lambda) code {
	n := &nested{name: "<lambda>"}
	c.within(n, func() {
		n.params = c.params(&syntax.Func{Params: e.Params}, "a lambda")
		n.value = c.expr(e.Body)
	})
	return n.closure
}

func (c *compiler) nested(s *syntax.Func) action {
	n := &nested{name: s.Name}
	slot := c.scope.slot(s.Name)
	if s.Decorated {
		c.fail(s.At(), outside("a decorator of %s is not supported", s.Name))
	}
	c.within(n, func() {
		n.params = c.params(s, s.Name)
		c.ownLocals(n.params, s.Body)
		n.body = c.block(s.Body)
	})
	return func(m *machine) (flow, error) {
		v, err := n.closure(m)
		m.vars[m.base+slot] = v
		return next, err
	}
}

// within compiles a nested function.
func (c *compiler) within(n *nested, compile func()) {
	restore := c.shadow()
	n.from = c.scope.n
	compile()
	n.to = c.scope.n
	restore()
}

// ownLocals makes new variables for the names that a nested function binds, whatever
// the function around it has.
func (c *compiler) ownLocals(params []param, body []syntax.Stmt) {
	around := c.scope
	c.scope = &scope{slots: map[string]int{}}
	for _, p := range params {
		c.scope.slot(p.name)
	}
	c.locals(body)
	own := c.scope.slots
	c.scope = around
	for _, p := range params {
		delete(own, p.name)
	}
	for _, name := range sortedKeys(own) {
		c.fresh(name)
	}
}

func (n *nested) closure(m *machine) (val, error) {
	m.mem.used += 64
	return val{k: kLambda, ref: &closure{n, m.base, m.frames[len(m.frames)-1].made}}, nil
}

// enclosed calls a nested function.
func (m *machine) enclosed(f *closure, a *args) (val, error) {
	if err := m.enter(); err != nil {
		return val{}, err
	}
	defer func() { m.calls-- }()
	alive := false
	for _, of := range m.frames {
		alive = alive || of.made == f.frame
		if of.of == f.nested && of.base == f.base {
			return val{}, outside("%s calls itself; recursion is not supported", f.name)
		}
	}
	if !alive {
		return val{}, outside("calling a function after the function that made it has ended is not supported")
	}
	clear := m.vars[f.base+f.from : f.base+f.to]
	for i := range clear {
		clear[i] = val{k: kUnset}
	}
	m.push(f.nested, f.base)
	defer func(old int) { m.base = old; m.pop() }(m.base)
	if err := m.bind(f.name, f.params, a, f.base); err != nil {
		return val{}, err
	}
	m.base = f.base
	if f.value != nil {
		return f.value(m)
	}
	m.result = val{}
	_, err := run(m, f.body)
	out := m.result
	m.result = val{}
	return out, err
}

// apply calls a value with one or more arguments.
func (m *machine) apply(fn val, values ...val) (val, error) {
	switch f := fn.ref.(type) {
	case *closure:
		return m.enclosed(f, &args{pos: values})
	case *function:
		return m.call(f, &args{pos: values})
	case *native:
		if err := m.enter(); err != nil {
			return val{}, err
		}
		defer func() { m.calls-- }()
		return f.fn(m, &args{pos: values})
	}
	return val{}, typeError("'%s' object is not callable", fn.typeName())
}
