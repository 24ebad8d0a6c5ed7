package python

import (
	"fmt"
	"slices"
	"strings"
)

// A host's values are of Go types of its own: pointers, or types that Go can
// compare. What they can do beside being passed on, they say by the interfaces
// here and by fmt.Stringer, which is str(v); the language asks for nothing else.
type (
	// Object has attributes. An attribute that it does not give is refused.
	Object interface {
		// Attr gives an attribute; false when the host does not read it.
		Attr(name string) (any, bool)
	}

	// Exact is an Object that nothing changes, and all of whose attributes are
	// known.
	Exact interface {
		// Unread reports whether Python has an attribute that Attr does not give; what
		// neither has is an AttributeError.
		Unread(name string) bool
	}

	// Mutable has attributes that can be set.
	Mutable interface {
		SetAttr(name string, v any) error
	}

	// Kinded says which types it is an instance of, its own first.
	Kinded interface {
		Kinds() []string
	}

	// Comparable may equal another value.
	Comparable interface {
		// Equal is asked about values that are not the same; it is not known when
		// only Python could say.
		Equal(other any) (equal, known bool)
	}

	// Keyed is no pointer, and equals another value of its type that has the same
	// key: as an item of a set and a key of a dict, too. Whether two that are equal
	// are one is not known.
	Keyed interface {
		Key() string
	}

	// Ordered comes before or after others.
	Ordered interface {
		// Compare is below 0 when it comes before the other value, 0 when neither does,
		// and above 0 when it comes after; false when they have no order.
		Compare(other any) (int, bool)
	}

	// Operand is taken by operators.
	Operand interface {
		// Binary is value op other, or other op value when they are swapped; false when
		// it does not take the other value.
		Binary(op string, other any, swapped bool) (v any, ok bool, err error)
	}

	// Signed is taken by "-" and "+" before it, and by "abs".
	Signed interface {
		Unary(op string) any
	}

	// Indexer can be indexed.
	Indexer interface {
		Index(key any) (any, error)
	}

	// Iterable is iterated over, each time anew.
	Iterable interface {
		Iterate() (*Iterator, error)
	}

	// Stepper is an iterator: false is its end.
	Stepper interface {
		Next() (v any, ok bool, err error)
	}

	// Written has the repr that it has in Python. A repr that is not known is that
	// of fmt.Stringer, in messages only.
	Written interface {
		Repr() string
	}

	// Formatted is formatted by a text of its own, which is not empty.
	Formatted interface {
		Format(format string) (any, error)
	}

	// Testable has a truth of its own; else what has a length is true unless that
	// is 0, and all other values are true.
	Testable interface {
		Truth() bool
	}

	// Context is entered and left by a with statement.
	Context interface {
		// Enter gives what "as" binds.
		Enter() (any, error)
		// Exit leaves the block; raised is the exception of Python that ends it, nil
		// for none. It may swallow that exception.
		Exit(raised error) (swallows bool, err error)
	}

	// sized has a length.
	sized interface{ Len() int }
)

// NewFunction makes a function from its signature, as Python gives arguments
// to it by position or by name: "path mode? * encoding?". An argument with "?"
// may be left out and is nil then; after "*" arguments are given by name only; a
// last "*name" takes what is left as a Tuple. Other arguments are refused. The
// result for an argument that is Unknown is Unknown.
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

// fit gives the arguments in the order of the parameters.
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

// Next gives the next item: false at the end.
func (it *Iterator) Next() (v any, ok bool, err error) { return it.next() }

// Items gives what iterating over a value gives, counted as work.
func (c *Call) Items(v any) ([]any, error) { return c.run.items(v) }

// Attribute is value.name.
func (c *Call) Attribute(v any, name string) (any, error) { return c.run.attribute(v, name) }

// Item is value[key].
func (c *Call) Item(v, key any) (any, error) { return c.run.item(v, key) }

// Binary is an operator of two values: +, -, *, and so on.
func (c *Call) Binary(op string, a, b any) (any, error) { return c.run.binary(op, a, b) }

// Compare is a comparison: a bool, or Unknown.
func (c *Call) Compare(op string, a, b any) (any, error) { return c.run.compared(op, a, b) }

// Unary is -, +, ~ or not of a value.
func (c *Call) Unary(op string, v any) (any, error) { return c.run.unary(op, v) }

// Apply calls a value with the arguments of another call.
func (c *Call) Apply(fn any, args []any, names []string, named []any) (any, error) {
	return c.run.invoke(fn, &Call{Args: args, Names: names, Named: named, scope: c.scope, at: c.at})
}

// Charge counts work, in steps.
func (c *Call) Charge(steps int) error { return c.run.charge(steps) }

// Text gives a text; members of an enumeration of texts are texts.
func Text(v any) (string, bool) { return asText(v) }

// Int gives an integer; bools are integers.
func Int(v any) (int64, bool) { return asInt(v) }

// Str is str(v): a text or Unknown.
func (c *Call) Str(v any) (any, error) { return c.run.str(v) }

// Builtin gives a name that every module has.
func (r *Interpreter) Builtin(name string) any { return r.builtins[name] }

// Standard gives a module of the interpreter's own.
func (r *Interpreter) Standard(name string) (*Module, bool) {
	m, ok := r.standard[name]
	return m, ok
}

// Elsewhere is a name of a module that is not read.
func Elsewhere(module, name string) *Unknown { return elsewhere(module, name) }

// Raised makes an exception of one of Python's classes with attributes of its
// own; text is what is told of it.
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

// SetType sets the type that values of its name have.
func (r *Interpreter) SetType(b *Builtin) { r.types[b.Name] = b }

// Charge counts work, in steps.
func (r *Interpreter) Charge(steps int) error { return r.charge(steps) }

// Copy is a shallow copy of an object; a member of an enumeration is its own.
func (o *Instance) Copy() (*Instance, error) {
	switch {
	case o.Class.enum != nil:
		return o, nil
	case o.Class.isException():
		return nil, fmt.Errorf("copying a %s is not read; make another one", o.Class.Name)
	}
	return &Instance{Class: o.Class, own: *o.own.Clone(), tuple: o.tuple}, nil
}
