package transform

import (
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/definitions/syntax"
)

// compiler turns the syntax tree of a text into code.
type compiler struct {
	file *python.File
	// funcs are the functions of the text; done are those compiled, nil while one is
	// being compiled.
	funcs   map[string]*syntax.Func
	done    map[string]*function
	mode    mode
	modules map[string]string // names of the text that stand for modules or their members
	foreign map[string]error  // imports that are not computed, by the names in modules
	scope   *scope
	depth   int
	err     error
}

// scope are the variables of a function.
type scope struct {
	slots map[string]int
	n     int
	hid   []hidden // what each new name hid, so that shadow can restore it
}

type hidden struct {
	name string
	slot int
	was  bool
}

// fresh makes a new variable that hides others of its name.
func (s *scope) fresh(name string) int {
	old, was := s.slots[name]
	s.hid = append(s.hid, hidden{name, old, was})
	s.slots[name] = s.n
	s.n++
	return s.n - 1
}

func (s *scope) slot(name string) int {
	if i, ok := s.slots[name]; ok {
		return i
	}
	return s.fresh(name)
}

// fail keeps the first error.
func (c *compiler) fail(at int, err error) {
	if c.err == nil {
		c.err = place(err, at)
	}
}

// bad is code that is never run, after fail.
func (c *compiler) bad(at int, format string, args ...any) code {
	c.fail(at, outside(format, args...))
	return func(*machine) (val, error) { return val{}, outside("this cannot run") }
}

// function compiles a function of the text, once.
func (c *compiler) function(name string, at int) *function {
	if f, ok := c.done[name]; ok {
		if f.body == nil && c.err == nil {
			c.fail(at, outside("%s calls itself; recursion is not supported", name))
		}
		return f
	}
	def := c.funcs[name]
	f := &function{name: name}
	c.done[name] = f
	outer := c.scope
	c.scope = &scope{slots: map[string]int{}}
	f.params = c.params(def, name)
	c.locals(def.Body)
	f.body = append(c.block(def.Body), func(*machine) (flow, error) { return next, nil }) // never nil when compiled
	f.slots = c.scope.n
	c.scope = outer
	return f
}

// params are the parameters of a function, which become new variables.
func (c *compiler) params(def *syntax.Func, name string) []param {
	var out []param
	for _, p := range def.Params {
		if p.Rest != 0 {
			c.fail(def.At(), outside("*args and **kwargs of %s are not supported", name))
		}
		q := param{name: p.Name, slot: c.fresh(p.Name)}
		if p.Fallback != nil {
			if !c.literal(p.Fallback) {
				c.fail(p.Fallback.At(), outside("a default that is not a literal is not supported"))
			}
			q.fallback = c.expr(p.Fallback)
		}
		out = append(out, q)
	}
	return out
}

// literal reports whether an expression is the same whenever it is computed.
func (c *compiler) literal(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Const:
		return true
	case *syntax.Unary:
		return c.literal(e.Value)
	case *syntax.Attr:
		return c.dotted(e) != ""
	}
	return false
}

// locals makes slots for the names that statements bind, so that a name is known
// as a variable before the statement that binds it.
func (c *compiler) locals(body []syntax.Stmt) {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.Assign:
			for _, t := range s.Targets {
				c.targetNames(t)
			}
		case *syntax.Augment:
			c.targetNames(s.Target)
		case *syntax.Func:
			c.scope.slot(s.Name)
		case *syntax.For:
			c.targetNames(s.Target)
			c.locals(s.Body)
			c.locals(s.Else)
		case *syntax.While:
			c.locals(s.Body)
			c.locals(s.Else)
		case *syntax.If:
			c.locals(s.Then)
			c.locals(s.Else)
		case *syntax.Try:
			c.locals(s.Body)
			for _, h := range s.Handlers {
				c.locals(h.Body)
			}
			c.locals(s.Else)
		}
	}
}

func (c *compiler) targetNames(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Name:
		c.scope.slot(e.ID)
	case *syntax.Sequence:
		for _, i := range e.Items {
			c.targetNames(i)
		}
	}
}

func (c *compiler) block(body []syntax.Stmt) []action {
	out := make([]action, 0, len(body))
	for _, s := range body {
		if a := c.stmt(s); a != nil {
			out = append(out, a)
		}
		if c.err != nil {
			return out
		}
	}
	return out
}

func (c *compiler) stmt(s syntax.Stmt) action {
	switch s := s.(type) {
	case *syntax.Assign:
		return c.assign(s)
	case *syntax.Augment:
		return c.augment(s)
	case *syntax.ExprStmt:
		if k, ok := s.Value.(*syntax.Const); ok && k != nil {
			return nil // a docstring
		}
		value := c.expr(s.Value)
		return func(m *machine) (flow, error) {
			_, err := value(m)
			return next, err
		}
	case *syntax.Return:
		return c.returns(s)
	case *syntax.If:
		cond, then, otherwise := c.condition(s.Cond), c.block(s.Then), c.block(s.Else)
		return func(m *machine) (flow, error) {
			is, err := cond(m)
			if err != nil {
				return next, err
			}
			if is {
				return run(m, then)
			}
			return run(m, otherwise)
		}
	case *syntax.For:
		return c.loop(s)
	case *syntax.While:
		return c.while(s)
	case *syntax.Try:
		return c.try(s)
	}
	return c.simple(s)
}

func (c *compiler) simple(s syntax.Stmt) action {
	switch s := s.(type) {
	case *syntax.Import:
		c.imports(s.At(), s.Module, "", s.Name)
		return nil
	case *syntax.From:
		c.imports(s.At(), s.Module, s.Item, s.Name)
		return nil
	case *syntax.Jump:
		switch s.Word {
		case "break":
			return func(*machine) (flow, error) { return broken, nil }
		case "continue":
			return func(*machine) (flow, error) { return continued, nil }
		}
		return nil
	case *syntax.Func:
		return c.nested(s)
	case *syntax.OtherStmt:
		c.fail(s.At(), outside("%s is not supported", s.What))
	}
	return nil
}

func (c *compiler) returns(s *syntax.Return) action {
	if s.Value == nil {
		return func(m *machine) (flow, error) {
			m.result = val{}
			return returned, nil
		}
	}
	value := c.expr(s.Value)
	return func(m *machine) (flow, error) {
		v, err := value(m)
		m.result = v
		return returned, err
	}
}

func (c *compiler) loop(s *syntax.For) action {
	source, bind := c.expr(s.Source), c.target(s.Target)
	body, otherwise := c.block(s.Body), c.block(s.Else)
	at := s.At()
	return func(m *machine) (flow, error) {
		v, err := source(m)
		if err != nil {
			return next, err
		}
		items, err := m.iterate(v)
		if err != nil {
			return next, place(err, at)
		}
		for i := range items.len() {
			if err := m.step(); err != nil {
				return next, place(err, at)
			}
			if err := bind(m, items.at(i)); err != nil {
				return next, err
			}
			f, err := run(m, body)
			if err != nil || f == returned {
				return f, err
			}
			if f == broken {
				return next, nil
			}
		}
		return run(m, otherwise)
	}
}

func (c *compiler) while(s *syntax.While) action {
	cond, body, otherwise, at := c.condition(s.Cond), c.block(s.Body), c.block(s.Else), s.At()
	return func(m *machine) (flow, error) {
		for {
			if err := m.step(); err != nil {
				return next, place(err, at)
			}
			is, err := cond(m)
			if err != nil {
				return next, err
			}
			if !is {
				return run(m, otherwise)
			}
			f, err := run(m, body)
			if err != nil || f == returned {
				return f, err
			}
			if f == broken {
				return next, nil
			}
		}
	}
}

// condition is code for the truth of an expression.
func (c *compiler) condition(e syntax.Expr) func(m *machine) (bool, error) {
	value, at := c.expr(e), e.At()
	return func(m *machine) (bool, error) {
		v, err := value(m)
		if err != nil {
			return false, err
		}
		is, err := truth(v)
		if err != nil {
			return false, place(err, at)
		}
		return is, nil
	}
}
