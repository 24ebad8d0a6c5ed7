package python

import (
	"fmt"
)

// Context is a value that a with statement enters and leaves.
type Context interface {
	// Enter gives what "as" binds.
	Enter() (any, error)
	// Exit leaves the block; raised is the exception of Python that ends it, nil
	// for none. It may swallow that exception.
	Exit(raised error) (swallows bool, err error)
}

// with runs a block within its contexts, the first outermost.
func (r *Interpreter) with(s *scope, st *withStmt) (signal, error) {
	defer s.guarded()()
	return r.within(s, st, 0)
}

func (r *Interpreter) within(s *scope, st *withStmt, i int) (signal, error) {
	if i == len(st.values) {
		return r.run(s, st.body)
	}
	opened, err := r.eval(s, st.values[i])
	if err != nil {
		return signal{}, err
	}
	at := st.values[i].pos()
	if st.async {
		return signal{}, s.file.fail(at, "async with is not read")
	}
	c, err := r.context(opened)
	if err != nil {
		return signal{}, s.locate(at, err)
	}
	entered, err := c.Enter()
	if err != nil {
		return signal{}, s.locate(at, err)
	}
	sig := signal{}
	if st.targets[i] != nil {
		err = r.bind(s, st.targets[i], entered)
	}
	if err == nil {
		sig, err = r.within(s, st, i+1)
	}
	if err != nil && exception(err) == nil { // a refusal, or nothing goes on
		return sig, err
	}
	swallows, failed := c.Exit(err)
	switch {
	case failed != nil:
		return signal{}, s.locate(at, failed)
	case swallows && err != nil:
		return signal{}, nil
	}
	return sig, err
}

// context makes a value ready for a with statement.
func (r *Interpreter) context(v any) (Context, error) {
	switch v := v.(type) {
	case Context:
		return v, nil
	case *Unknown:
		return &context{enter: func() (any, error) { return v, nil }, exit: func(raised error) (bool, error) {
			if raised == nil {
				return false, nil
			}
			return false, fmt.Errorf("whether %s swallows this error cannot be known without running Python (%s)", v.Why, exception(raised))
		}}, nil
	case *Instance:
		enter, enters := v.method("__enter__")
		exit, exits := v.method("__exit__")
		if !enters && !exits && v.Class.foreign() != nil {
			return r.context(v.Class.foreign())
		}
		if !enters || !exits {
			break
		}
		return &context{enter: func() (any, error) { return r.invoke(enter, &Call{}) }, exit: func(raised error) (bool, error) {
			args := []any{nil, nil, nil}
			if e := exception(raised); e != nil {
				o := r.exceptionValue(e)
				args = []any{r.typeOf(o), o, &Unknown{Why: "a traceback"}}
			}
			answer, err := r.invoke(exit, &Call{Args: args})
			if err != nil || raised == nil {
				return false, err
			}
			yes, known := r.truth(answer)
			if !known {
				return false, fmt.Errorf("whether __exit__ of a %s swallows this error cannot be known without running Python", v.Class.Name)
			}
			return yes, nil
		}}, nil
	}
	return nil, raise("TypeError", "'%s' object does not support the context manager protocol", TypeName(v))
}

// context is a Context of the reader's own.
type context struct {
	enter func() (any, error)
	exit  func(raised error) (bool, error)
}

// Kinds lists the types of a context.
func (c *context) Kinds() []string { return []string{"context manager"} }

// Enter gives what "as" binds.
func (c *context) Enter() (any, error) { return c.enter() }

// Exit leaves the block.
func (c *context) Exit(raised error) (bool, error) {
	if c.exit == nil {
		return false, nil
	}
	return c.exit(raised)
}

// managed is the context that a function under contextlib.contextmanager makes:
// its generator runs to the yield, and goes on when the block is left.
func (r *Interpreter) managed(g *generator) *context {
	return &context{enter: func() (any, error) {
		v, ok, err := g.resume(nil, nil)
		if !ok && err == nil {
			err = raise("RuntimeError", "generator didn't yield")
		}
		return v, err
	}, exit: func(raised error) (bool, error) {
		_, more, err := g.resume(nil, raised)
		switch {
		case more && raised == nil:
			return false, raise("RuntimeError", "generator didn't stop")
		case more:
			return false, raise("RuntimeError", "generator didn't stop after throw()")
		case err != nil && exception(err) != nil && exception(err) == exception(raised):
			return false, nil // it is raised again by the with statement
		}
		return raised != nil && err == nil, err
	}}
}

// contextlibModule is the module contextlib: what it has besides is refused.
func contextlibModule() map[string]any {
	names := map[string]any{}
	add := func(name string, call func(c *Call, v any) (any, error)) {
		names[name] = &Builtin{Name: name, Call: func(c *Call) (any, error) {
			if u := c.unknown(); u != nil {
				return nil, fmt.Errorf("what %s() is given cannot be known without running Python (%s)", name, u.Why)
			}
			var v any
			if len(c.Args) > 0 {
				v = c.Args[0]
			} else if name == "contextmanager" || name == "closing" {
				return nil, raise("TypeError", "%s() lacks its argument", name)
			}
			return call(c, v)
		}}
	}
	add("contextmanager", func(_ *Call, v any) (any, error) {
		f, ok := v.(*Function)
		if !ok || !f.generator || f.async {
			return nil, fmt.Errorf("contextmanager() of what is not a generator function is not read")
		}
		made := *f
		made.manager = true
		return &made, nil
	})
	add("nullcontext", func(c *Call, v any) (any, error) {
		if named, ok := c.Arg("enter_result"); ok {
			v = named
		}
		return &context{enter: func() (any, error) { return v, nil }}, nil
	})
	for _, name := range []string{"redirect_stdout", "redirect_stderr"} {
		add(name, func(_ *Call, v any) (any, error) {
			return &context{enter: func() (any, error) { return v, nil }}, nil
		})
	}
	add("suppress", func(c *Call, _ any) (any, error) {
		kinds := Tuple(c.Args)
		return &context{enter: func() (any, error) { return nil, nil }, exit: func(raised error) (bool, error) {
			if raised == nil {
				return false, nil
			}
			return c.run.caught(kinds, exception(raised))
		}}, nil
	})
	add("closing", func(c *Call, v any) (any, error) {
		return &context{enter: func() (any, error) { return v, nil }, exit: func(error) (bool, error) {
			end, err := c.run.attribute(v, "close")
			if err == nil {
				_, err = c.Invoke(end)
			}
			return false, err
		}}, nil
	})
	return names
}
