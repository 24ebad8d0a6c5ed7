package python

import (
	"fmt"
	"slices"
	"strings"
)

// A host's values have Go types of its own: pointers, or comparable types. What
// they support beyond being passed on is declared by the interfaces here and by
// fmt.Stringer, which is str(v); the language uses nothing else.
type (
	// Object has attributes. An attribute that it does not have is refused.
	Object interface {
		// Attr returns an attribute; false if the host does not support it.
		Attr(name string) (any, bool)
	}

	// Exact is an immutable Object whose attributes are all known.
	Exact interface {
		// Unread reports whether Python has an attribute that Attr does not; a name that
		// neither has is an AttributeError.
		Unread(name string) bool
	}

	// Mutable has attributes that can be set.
	Mutable interface {
		SetAttr(name string, v any) error
	}

	// Kinded returns the types that it is an instance of, its own first.
	Kinded interface {
		Kinds() []string
	}

	// Comparable may equal another value.
	Comparable interface {
		// Equal compares with a value that is not identical; known is false if only
		// Python could tell.
		Equal(other any) (equal, known bool)
	}

	// Keyed is not a pointer. It equals another value of its type with the same key,
	// also as an item of a set or a key of a dict. Whether two equal values are
	// identical is not known.
	Keyed interface {
		Key() string
	}

	// Ordered has an order.
	Ordered interface {
		// Compare is negative if it comes before the other value, 0 if they are equal,
		// and positive if it comes after; false if they have no order.
		Compare(other any) (int, bool)
	}

	// Operand supports binary operators.
	Operand interface {
		// Binary is value op other, or other op value if swapped; false if it does not
		// support the other value.
		Binary(op string, other any, swapped bool) (v any, ok bool, err error)
	}

	// Signed supports unary "-" and "+", and "abs".
	Signed interface {
		Unary(op string) any
	}

	// Indexer can be indexed.
	Indexer interface {
		Index(key any) (any, error)
	}

	// Iterable can be iterated, each time from the start.
	Iterable interface {
		Iterate() (*Iterator, error)
	}

	// Stepper is an iterator; false marks its end.
	Stepper interface {
		Next() (v any, ok bool, err error)
	}

	// Written returns its repr in Python. If the repr is not known, messages use
	// fmt.Stringer.
	Written interface {
		Repr() string
	}

	// Formatted supports non-empty formats.
	Formatted interface {
		Format(format string) (any, error)
	}

	// Testable defines its own truth value; other values with a length are true
	// unless it is 0, and all the rest are true.
	Testable interface {
		Truth() bool
	}

	// Context supports the with statement.
	Context interface {
		// Enter returns the value that "as" binds.
		Enter() (any, error)
		// Exit leaves the block; raised is the Python exception that ends it, nil for
		// none. It may swallow that exception.
		Exit(raised error) (swallows bool, err error)
	}

	// sized has a length.
	sized interface{ Len() int }
)

// NewFunction makes a function from a signature such as "path mode? * encoding?";
// arguments are passed by position or by name. A parameter with "?" is optional,
// nil by default; parameters after "*" are keyword-only; a final "*name" collects
// the rest as a Tuple. Other arguments are refused. If an argument is Unknown,
// the result is Unknown.
func NewFunction(name, signature string, call func(c *Call, a []any) (any, error)) *Builtin {
	params := strings.Fields(signature)
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		a, err := c.fit(name, params)
		if err != nil {
			return nil, err
		}
		if u := c.unknown(); u != nil {
			return u, nil
		}
		return call(c, a)
	}}
}

// fit returns the arguments in the order of the parameters.
func (c *Call) fit(name string, params []string) ([]any, error) {
	var out []any
	at, named := 0, 0
	keywords := false
	for _, p := range params {
		if p == "*" {
			keywords = true
			continue
		}
		if strings.HasPrefix(p, "*") {
			out = append(out, append(Tuple{}, c.Args[min(at, len(c.Args)):]...))
			at = len(c.Args)
			continue
		}
		plain := strings.TrimSuffix(p, "?")
		v, given := c.Arg(plain)
		switch {
		case given:
			named++
			if !keywords && at < len(c.Args) {
				return nil, raise("TypeError", "argument for %s() given by name ('%s') and position (%d)", name, plain, at+1)
			}
		case !keywords && at < len(c.Args):
			v = c.Args[at]
			at++
		case plain == p:
			return nil, raise("TypeError", "%s() missing required argument '%s' (pos %d)", name, plain, len(out)+1)
		}
		out = append(out, v)
	}
	if at < len(c.Args) {
		return nil, fmt.Errorf("%s() with %d arguments is not read", name, len(c.Args))
	}
	if named < len(c.Names) {
		i := slices.IndexFunc(c.Names, func(n string) bool { return !slices.Contains(params, n) && !slices.Contains(params, n+"?") })
		return nil, fmt.Errorf("%s() with '%s' is not read; leave it out", name, c.Names[max(i, 0)])
	}
	return out, nil
}

// Raise makes an exception of one of Python's classes, which files can catch.
func Raise(class, format string, args ...any) error { return raise(class, format, args...) }

// NewIterator makes an iterator of items.
func NewIterator(items []any) *Iterator {
	return counted("iterator", func(i int) (any, bool, error) {
		if i >= len(items) {
			return nil, false, nil
		}
		return items[i], true, nil
	})
}

// Iterator is iter(v).
func (c *Call) Iterator(v any) (*Iterator, error) { return c.run.iterate(v) }

// Next returns the next item; false at the end.
func (it *Iterator) Next() (v any, ok bool, err error) { return it.next() }

// Items returns the items of an iteration over a value, and charges the work.
func (c *Call) Items(v any) ([]any, error) { return c.run.items(v) }

// Attribute is value.name.
func (c *Call) Attribute(v any, name string) (any, error) { return c.run.attribute(v, name) }

// Item is value[key].
func (c *Call) Item(v, key any) (any, error) { return c.run.item(v, key) }

// Binary applies an operator to two values: +, -, *, and so on.
func (c *Call) Binary(op string, a, b any) (any, error) { return c.run.binary(op, a, b) }

// Compare evaluates a comparison: a bool, or Unknown.
func (c *Call) Compare(op string, a, b any) (any, error) { return c.run.compared(op, a, b) }

// Unary applies -, +, ~ or not to a value.
func (c *Call) Unary(op string, v any) (any, error) { return c.run.unary(op, v) }

// Apply calls a value with the arguments of another call.
func (c *Call) Apply(fn any, args []any, names []string, named []any) (any, error) {
	return c.run.invoke(fn, &Call{Args: args, Names: names, Named: named, scope: c.scope, at: c.at})
}

// Charge charges work, in steps.
func (c *Call) Charge(steps int) error { return c.run.charge(steps) }

// Text returns a text; members of an enumeration of texts are texts.
func Text(v any) (string, bool) { return asText(v) }

// Int returns an integer; bools are integers.
func Int(v any) (int64, bool) { return asInt(v) }

// Str is str(v): a text or Unknown.
func (c *Call) Str(v any) (any, error) { return c.run.str(v) }

// Builtin returns a name that every module has.
func (r *Interpreter) Builtin(name string) any { return r.builtins[name] }

// Standard returns a module of the interpreter's own.
func (r *Interpreter) Standard(name string) (*Module, bool) {
	m, ok := r.standard[name]
	return m, ok
}

// Elsewhere is a name of a module that the reader does not have.
func Elsewhere(module, name string) *Unknown { return elsewhere(module, name) }

// Raised makes an exception of one of Python's classes with its own attributes;
// text is shown in messages.
func Raised(class, text string, members map[string]any) error {
	return &raised{class: class, text: text, members: members}
}

// File is the file of a call.
func (c *Call) File() *File {
	if c.scope == nil {
		return &File{}
	}
	return c.scope.file
}

// SetBuiltin sets a name that every module has.
func (r *Interpreter) SetBuiltin(name string, v any) { r.builtins[name] = v }

// Provide sets a module of the interpreter's own.
func (r *Interpreter) Provide(m *Module) { r.standard[m.Name] = m }

// SetType sets the type of values with its name.
func (r *Interpreter) SetType(b *Builtin) { r.types[b.Name] = b }

// Charge charges work, in steps.
func (r *Interpreter) Charge(steps int) error { return r.charge(steps) }

// Copy is a shallow copy of an object; a member of an enumeration is not copied.
func (o *Instance) Copy() (*Instance, error) {
	switch {
	case o.Class.enum != nil:
		return o, nil
	case o.Class.isException():
		return nil, fmt.Errorf("copying a %s is not read; make another one", o.Class.Name)
	}
	return &Instance{Class: o.Class, own: *o.own.Clone(), tuple: o.tuple}, nil
}
