package python

import (
	"fmt"
)

// with executes a with statement; the first context is outermost.
func (r *Interpreter) with(s *scope, st *withStmt) (signal, error) {
	defer s.guarded()()
	return r.within(s, st, 0)
}

func (r *Interpreter) within(s *scope, st *withStmt, i int) (signal, error) {
	if i == len(st.values) {
		return r.run(s, st.body)
	}
	at := st.values[i].pos()
	if st.async {
		return signal{}, s.file.fail(at, "async with is not read")
	}
	opened, err := r.eval(s, st.values[i])
	if err != nil {
		return signal{}, err
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
	if err != nil && exception(err) == nil { // a refusal, or the run was stopped
		return sig, err
	}
	swallows, failed := c.Exit(err)
	switch {
	case failed != nil:
		err = s.locate(at, failed)
	case swallows && err != nil:
		sig, err = signal{}, nil
	}
	return sig, err
}

// context returns the context manager of a value.
func (r *Interpreter) context(v any) (Context, error) {
	switch v := v.(type) {
	case Context:
		return v, nil
	case *Unknown:
		return unknownContext{v}, nil
	case *Instance:
		enter, exit := v.special("__enter__"), v.special("__exit__")
		if enter != nil && exit != nil {
			return &objectContext{r, v, enter, exit}, nil
		}
		if u := v.Class.foreign(); u != nil {
			return unknownContext{u}, nil
		}
	}
	return nil, raise("TypeError", "'%s' object does not support the context manager protocol", TypeName(v))
}

// unknownContext is a context manager that is not known.
type unknownContext struct{ u *Unknown }

func (c unknownContext) Enter() (any, error) { return c.u, nil }

func (c unknownContext) Exit(raised error) (bool, error) {
	if raised == nil {
		return false, nil
	}
	return false, fmt.Errorf("whether %s swallows this error cannot be known without running Python (%s)", c.u.Why, exception(raised).Error())
}

// objectContext is an object with __enter__ and __exit__.
type objectContext struct {
	run         *Interpreter
	o           *Instance
	enter, exit any
}

func (c *objectContext) Enter() (any, error) { return c.run.invoke(c.enter, &Call{}) }

func (c *objectContext) Exit(raised error) (bool, error) {
	args := []any{nil, nil, nil}
	if e := exception(raised); e != nil {
		o := c.run.exceptionValue(e)
		args = []any{c.run.typeOf(o), o, &Unknown{Why: "a traceback", Trust: Harmless}}
	}
	answer, err := c.run.invoke(c.exit, &Call{Args: args})
	if err != nil || raised == nil {
		return false, err
	}
	yes, known := truth(answer)
	if !known {
		return false, fmt.Errorf("whether __exit__ of a %s swallows this error cannot be known without running Python", c.o.Class.Name)
	}
	return yes, nil
}
