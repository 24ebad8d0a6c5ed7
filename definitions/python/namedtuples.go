package python

import (
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/tokens"
)

// field is a field of a NamedTuple.
type field struct {
	name     string
	fallback any
	has      bool // a default
}

// makeFields turns the annotated names of a NamedTuple into its fields.
func (c *Class) makeFields() error {
	for _, n := range c.annotated {
		f := field{name: n}
		f.fallback, f.has = c.Members[n]
		delete(c.Members, n)
		if !f.has && len(c.fields) > 0 && c.fields[len(c.fields)-1].has {
			return raise("TypeError", "non-default namedtuple field %s cannot follow default field", n)
		}
		c.fields = append(c.fields, f)
	}
	return nil
}

// fill gives a NamedTuple its items.
func (c *Class) fill(o *Instance, call *Call) error {
	o.tuple = Tuple{}
	used := 0
	for i, f := range c.fields {
		v, named := call.Arg(f.name)
		switch {
		case i < len(call.Args) && !named:
			v = call.Args[i]
		case i >= len(call.Args) && named:
			used++
		case i >= len(call.Args) && f.has:
			v = f.fallback
		default:
			return raise("TypeError", "%s.__new__() is not given argument '%s' once", c.Name, f.name)
		}
		o.tuple = append(o.tuple, v)
	}
	if len(call.Args) > len(c.fields) || used < len(call.Names) {
		return raise("TypeError", "%s.__new__() is given arguments that it does not take", c.Name)
	}
	return nil
}

// altered is _replace: a copy with some fields changed.
func altered(o *Instance, c *Call) (any, error) {
	call := &Call{Names: slices.Clone(c.Names), Named: slices.Clone(c.Named)}
	for i, f := range o.Class.fields {
		if _, given := c.Arg(f.name); !given {
			call.Names, call.Named = append(call.Names, f.name), append(call.Named, o.tuple[i])
		}
	}
	return o.Class.run.instantiate(o.Class, call)
}

// namedTuple is collections.namedtuple.
func namedTuple(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	given, hasDefaults := c.Arg("defaults")
	if len(c.Args) != 2 || len(c.Names) > 1 || len(c.Names) == 1 && !hasDefaults {
		return nil, fmt.Errorf("namedtuple() is read with a name, fields and defaults alone")
	}
	object := c.run.builtins["object"]
	class := &Class{Name: Str(c.Args[0]), qual: Str(c.Args[0]), Members: map[string]any{}, named: true, fields: []field{}, run: c.run}
	class.mro = []any{class, object}
	names, err := fieldNames(c)
	if err != nil {
		return nil, err
	}
	defaults := []any{}
	if given != nil {
		if defaults, err = c.run.items(given); err != nil {
			return nil, err
		}
	}
	for i, n := range names {
		f := field{name: Str(n)}
		if strings.HasPrefix(f.name, "_") || !isIdentifier(f.name) || tokens.Keyword(f.name) || slices.ContainsFunc(class.fields, func(o field) bool { return o.name == f.name }) {
			return nil, raise("ValueError", "a namedtuple cannot have a field '%s'", f.name)
		}
		if at := i - (len(names) - len(defaults)); at >= 0 {
			f.fallback, f.has = defaults[at], true
		}
		class.fields = append(class.fields, f)
	}
	return class, nil
}

// fieldNames are the names in a list or a text.
func fieldNames(c *Call) ([]any, error) {
	s, ok := asText(c.Args[1])
	if !ok {
		return c.run.items(c.Args[1])
	}
	var names []any
	for _, n := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
		names = append(names, n)
	}
	return names, nil
}

func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// namedAttribute is what a NamedTuple has besides its fields.
func (r *Interpreter) namedAttribute(k *Class, name string) (any, error) {
	if name == "_fields" {
		names := Tuple{}
		for _, f := range k.fields {
			names = append(names, f.name)
		}
		return names, nil
	}
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		items, err := r.items(v)
		if err == nil && len(items) != len(k.fields) {
			err = raise("TypeError", "Expected %d arguments, got %d", len(k.fields), len(items))
		}
		return &Instance{Class: k, tuple: append(Tuple{}, items...)}, err
	}}, nil
}

// tupleAttribute is what an object of a NamedTuple has besides its fields.
func (r *Interpreter) tupleAttribute(o *Instance, name string) (v any, ok bool, err error) {
	switch name {
	case "_asdict":
		return &Builtin{Name: name, Call: func(*Call) (any, error) {
			d := &Dict{}
			for i, f := range o.Class.fields {
				if err := d.Put(f.name, o.tuple[i]); err != nil {
					return nil, err
				}
			}
			return d, nil
		}}, true, nil
	case "_replace":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) { return altered(o, c) }}, true, nil
	case "_fields", "_make":
		v, err = r.namedAttribute(o.Class, name)
		return v, true, err
	}
	v, ok = method(o.tuple, name)
	return v, ok, nil
}
