package python

import (
	"fmt"
	"slices"
	"strings"
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
