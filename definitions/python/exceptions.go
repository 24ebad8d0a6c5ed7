package python

import (
	"errors"
	"fmt"
)

// raised is a Python exception on its way to a handler. Other errors are the
// reader's own: no handler of the file catches them.
type raised struct {
	class string
	text  string
	value *Instance // of an exception that the file itself raises
	made  *Instance // of one of Python's, once it is looked at
}

func (e *raised) Error() string {
	if e.value != nil {
		return fmt.Sprintf("the file raises %s", Repr(e.value))
	}
	return e.text
}

// raise makes an exception of one of Python's classes.
func raise(class, format string, args ...any) error {
	return &raised{class: class, text: fmt.Sprintf(format, args...)}
}

// exceptions are Python's exception classes with what they derive from; the
// order is such that a base stands before its classes.
func exceptions() map[string]any {
	classes := map[string]any{}
	for _, pair := range [][2]string{
		{"BaseException", ""},
		{"Exception", "BaseException"},
		{"SystemExit", "BaseException"},
		{"KeyboardInterrupt", "BaseException"},
		{"GeneratorExit", "BaseException"},
		{"ArithmeticError", "Exception"},
		{"OverflowError", "ArithmeticError"},
		{"ZeroDivisionError", "ArithmeticError"},
		{"AssertionError", "Exception"},
		{"AttributeError", "Exception"},
		{"FrozenInstanceError", "AttributeError"},
		{"EOFError", "Exception"},
		{"ImportError", "Exception"},
		{"ModuleNotFoundError", "ImportError"},
		{"LookupError", "Exception"},
		{"IndexError", "LookupError"},
		{"KeyError", "LookupError"},
		{"NameError", "Exception"},
		{"UnboundLocalError", "NameError"},
		{"OSError", "Exception"},
		{"FileNotFoundError", "OSError"},
		{"FileExistsError", "OSError"},
		{"PermissionError", "OSError"},
		{"ConnectionError", "OSError"},
		{"TimeoutError", "OSError"},
		{"RuntimeError", "Exception"},
		{"NotImplementedError", "RuntimeError"},
		{"RecursionError", "RuntimeError"},
		{"StopIteration", "Exception"},
		{"SyntaxError", "Exception"},
		{"TypeError", "Exception"},
		{"ValueError", "Exception"},
		{"UnicodeError", "ValueError"},
		{"UnicodeDecodeError", "UnicodeError"},
		{"UnicodeEncodeError", "UnicodeError"},
		{"Warning", "Exception"},
		{"DeprecationWarning", "Warning"},
		{"UserWarning", "Warning"},
		{"FutureWarning", "Warning"},
		{"RuntimeWarning", "Warning"},
		{"ImportWarning", "Warning"},
		{"ResourceWarning", "Warning"},
		{"PendingDeprecationWarning", "Warning"},
		{"MemoryError", "Exception"},
	} {
		c := &Class{Name: pair[0], Members: map[string]any{}, exception: true}
		if base, ok := classes[pair[1]]; ok {
			c.bases = []any{base}
		}
		classes[pair[0]] = c
	}
	classes["IOError"], classes["EnvironmentError"] = classes["OSError"], classes["OSError"]
	return classes
}

// classOf gives the class of an exception.
func (r *Interpreter) classOf(e *raised) *Class {
	if e.value != nil {
		return e.value.Class
	}
	c, _ := r.builtins[e.class].(*Class)
	return c
}

// exceptionValue is the object that "as" binds.
func (r *Interpreter) exceptionValue(e *raised) any {
	if e.value != nil {
		return e.value
	}
	c := r.classOf(e)
	if c == nil {
		return &Unknown{Why: "an exception"}
	}
	if e.made == nil { // one object, however often it is asked for
		e.made = &Instance{Class: c, Members: map[string]any{"args": Tuple{e.text}}}
	}
	return e.made
}

// catches reports whether a handler takes an exception; an error when that
// cannot be known.
func (r *Interpreter) catches(s *scope, h handler, e *raised) (bool, error) {
	if h.kinds == nil {
		return true, nil
	}
	v, err := r.eval(s, h.kinds)
	if err != nil {
		return false, err
	}
	return r.caught(v, e)
}

// caught reports whether an exception is of a class, or of one of a tuple.
func (r *Interpreter) caught(v any, e *raised) (bool, error) {
	kinds := []any{v}
	if t, ok := v.(Tuple); ok {
		kinds = t
	}
	class := r.classOf(e)
	for _, k := range kinds {
		if c, ok := k.(*Class); ok && class != nil && class.derives(c) {
			return true, nil
		}
	}
	for _, k := range kinds {
		if u, ok := k.(*Unknown); ok {
			return false, fmt.Errorf("%s; whether it is caught as a %s cannot be known without running Python", e.Error(), u.Why)
		}
	}
	return false, nil
}

// exception finds the Python exception in an error; nil when it is the
// reader's own.
func exception(err error) *raised {
	var e *raised
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// raise executes a raise statement.
func (r *Interpreter) raise(s *scope, st *raiseStmt) error {
	if st.value == nil {
		for x := s; x != nil; x = x.outer {
			if x.handling != nil {
				return x.handling
			}
		}
		return raise("RuntimeError", "No active exception to reraise")
	}
	v, err := r.eval(s, st.value)
	if err != nil {
		return err
	}
	return r.raised(v)
}

// raised makes an exception of what is raised.
func (r *Interpreter) raised(v any) error {
	if c, ok := v.(*Class); ok && c.isException() {
		var err error
		if v, err = r.invoke(c, &Call{}); err != nil {
			return err
		}
	}
	if o, ok := v.(*Instance); ok && o.Class.isException() {
		return &raised{value: o}
	}
	return fmt.Errorf("the file raises %s here", Str(v))
}

// ExceptionClass names the Python exception that an error is; "" for the
// reader's own errors, and for none.
func ExceptionClass(err error) string {
	e := exception(err)
	switch {
	case e == nil:
		return ""
	case e.value != nil:
		return e.value.Class.Name
	}
	return e.class
}
