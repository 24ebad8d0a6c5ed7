package python

import (
	"errors"
	"fmt"
	"strings"
)

// raised is a Python exception on its way to a handler. All other errors are the
// reader's own: no handler of a file catches them.
type raised struct {
	class string
	text  string
	// exact is set if the text equals Python's; args are then the exception's args.
	exact bool
	args  Tuple
	value *Instance // the object, for an exception that the file raises
	made  *Instance // the object of Python's own exception, made on first use
	// members are the attributes of Python's own exception, including its args.
	members map[string]any
}

func (e *raised) Error() string {
	if e.value != nil {
		return "the file raises " + e.text
	}
	return e.text
}

// exactTexts are the formats of messages that equal Python's word by word.
const exactTexts = `|division by zero|name '%s' is not defined|invalid literal for int() with base %d: %s|could not convert string to float: %s
|%s index out of range|'%s' object has no attribute '%s'|module '%s' has no attribute '%s'|type object '%s' has no attribute '%s'|No module named '%s'
|%s is not a valid %s|Can't instantiate abstract class %s with abstract method%s %s|cannot assign to field '%s'|'%s' object is not iterable
|%s() takes no arguments|cannot reassign member '%s'|property '%s' of '%s' object has no setter|exceptions must derive from BaseException
|%s changed size during iteration|'%s' object does not support item assignment|'%s' object doesn't support item deletion
|I/O operation on closed file.|time data %s does not match format %s|unconverted data remains: %s|day is out of range for month|`

// raise makes an exception of one of Python's classes.
func raise(class, format string, args ...any) error {
	e := &raised{class: class, text: fmt.Sprintf(format, args...), exact: strings.Contains(exactTexts, "|"+format+"\n|") || strings.Contains(exactTexts, "|"+format+"|")}
	e.args = Tuple{e.text}
	return e
}

// raiseKey is the KeyError for a missing key.
func raiseKey(key any) error {
	return &raised{class: "KeyError", text: "the dict has no key " + Brief(key), exact: true, args: Tuple{key}}
}

// exceptionParts are attributes of Python's exceptions that are not supported.
var exceptionParts = []string{"errno", "strerror", "filename", "filename2", "value", "code", "name", "path", "obj", "msg", "lineno", "offset", "text", "reason", "encoding", "object", "start", "end", "characters_written", "add_note", "__cause__", "__context__", "__traceback__", "__suppress_context__", "__notes__"}

// exceptionTree is the hierarchy of Python's exceptions; a base precedes its
// classes.
const exceptionTree = `BaseException: Exception SystemExit KeyboardInterrupt GeneratorExit; Exception: ArithmeticError AssertionError AttributeError EOFError ImportError
LookupError NameError OSError RuntimeError StopIteration SyntaxError TypeError ValueError Warning MemoryError; ArithmeticError: OverflowError
ZeroDivisionError; AttributeError: FrozenInstanceError; ImportError: ModuleNotFoundError; LookupError: IndexError KeyError; NameError:
UnboundLocalError; OSError: FileNotFoundError FileExistsError PermissionError IsADirectoryError NotADirectoryError ConnectionError TimeoutError; RuntimeError: NotImplementedError
RecursionError; ValueError: UnicodeError JSONDecodeError; UnicodeError: UnicodeDecodeError UnicodeEncodeError; Warning: DeprecationWarning UserWarning FutureWarning
RuntimeWarning ImportWarning ResourceWarning PendingDeprecationWarning`

// exceptions are Python's exception classes, and object.
func (r *Interpreter) exceptions() map[string]any {
	root := &Class{Name: "BaseException", qual: "BaseException", Members: map[string]any{}, exception: true, run: r}
	root.mro = []any{root}
	classes := map[string]any{root.Name: root}
	for _, line := range strings.Split(exceptionTree, ";") {
		of, names, _ := strings.Cut(strings.TrimSpace(line), ":")
		base, _ := classes[of].(*Class)
		for _, n := range strings.Fields(names) {
			c := &Class{Name: n, qual: n, Members: map[string]any{}, exception: true, run: r, bases: []any{base}}
			c.mro = append([]any{c}, base.mro...)
			classes[n] = c
		}
	}
	object := objectClass(r)
	for _, c := range classes {
		if c, ok := c.(*Class); ok {
			c.mro = append(c.mro, object)
		}
	}
	root.Members = exceptionMethods()
	classes["object"] = object
	key, _ := classes["KeyError"].(*Class)
	key.Members["__str__"] = writtenMethod("_exceptions", "key_text")
	classes["IOError"], classes["EnvironmentError"] = classes["OSError"], classes["OSError"]
	return classes
}

// classOf returns the class of an exception.
func (r *Interpreter) classOf(e *raised) *Class {
	if e.value != nil {
		return e.value.Class
	}
	c, _ := r.builtins[e.class].(*Class)
	return c
}

// lacks reports whether an error is an AttributeError.
func (r *Interpreter) lacks(err error) bool {
	e := exception(err)
	c, _ := r.builtins["AttributeError"].(*Class)
	return e != nil && r.classOf(e).derives(c)
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
	if e.made == nil { // always the same object
		e.made = &Instance{Class: c}
		e.made.set("args", e.args)
		for k, v := range e.members {
			e.made.set(k, v)
		}
		if !e.exact && e.members == nil {
			e.made.set("args", &Unknown{Why: "the text of Python's " + c.Name + ": " + e.text})
		}
	}
	return e.made
}

// exceptionMethods are the methods of all exceptions.
func exceptionMethods() map[string]any {
	return map[string]any{
		"__init__": native("__init__", func(o *Instance, c *Call) (any, error) {
			if len(c.Names) > 0 {
				return nil, fmt.Errorf("named arguments of a %s are not read; give one text", o.Class.Name)
			}
			o.setArgs(c.Args)
			return nil, o.Class.checkException(c)
		}),
		"__str__":        writtenMethod("_exceptions", "__str__"),
		"__repr__":       writtenMethod("_exceptions", "__repr__"),
		"with_traceback": native("with_traceback", func(o *Instance, _ *Call) (any, error) { return o, nil }),
	}
}

// checkException refuses arguments from which Python makes more than args.
func (c *Class) checkException(call *Call) error {
	for _, b := range c.mro {
		k, ok := b.(*Class)
		if !ok {
			continue
		}
		if k.Name == "OSError" && len(call.Args) > 1 || k.exception && strings.HasPrefix(k.Name, "Unicode") && k.Name != "UnicodeError" || k.Name == "SyntaxError" && len(call.Args) > 1 {
			return fmt.Errorf("these arguments of a %s are not read; give one text", c.Name)
		}
	}
	return nil
}

// catches reports whether a handler catches an exception; an error if that cannot
// be known.
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

// caught reports whether an exception is of a class, or of a class in a tuple.
func (r *Interpreter) caught(v any, e *raised) (bool, error) {
	class := r.classOf(e)
	kinds, err := r.flat(v)
	if err != nil {
		return false, err
	}
	for _, k := range kinds {
		if c, ok := k.(*Class); ok && class != nil && class.derives(c) {
			return true, nil
		}
	}
	if u := anyUnknown(kinds...); u != nil {
		return false, fmt.Errorf("%s; whether it is caught as a %s cannot be known without running Python", e.Error(), u.Why)
	}
	return false, nil
}

// exception returns the Python exception in an error; nil if the error is the
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

// raised makes an exception from the operand of a raise.
func (r *Interpreter) raised(v any) error {
	if c, ok := v.(*Class); ok && c.isException() {
		var err error
		if v, err = r.invoke(c, &Call{}); err != nil {
			return err
		}
	}
	if o, ok := v.(*Instance); ok && o.Class.isException() {
		e := &raised{value: o, text: o.Class.Name}
		if text, err := r.str(o); err == nil && text != "" {
			e.text += ": " + Str(text)
		}
		return e
	}
	if _, ok := v.(*Unknown); !ok {
		return raise("TypeError", "exceptions must derive from BaseException")
	}
	return fmt.Errorf("the file raises %s here", Brief(v))
}

// ExceptionClass names the Python exception of an error; "" for the reader's own
// errors, and for nil.
func ExceptionClass(err error) string {
	switch e := exception(err); {
	case e == nil:
		return ""
	case e.value != nil:
		return e.value.Class.Name
	default:
		return e.class
	}
}
