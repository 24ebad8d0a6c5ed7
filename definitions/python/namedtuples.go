package python

import "slices"

// shape sets the fields of a NamedTuple and its common attributes. The fields are
// the parameters of a function, with the same defaults.
func (r *Interpreter) shape(c *Class, names Tuple, defaults *Dict) error {
	c.shape = &Function{Name: c.Name + ".__new__"}
	for _, n := range names {
		p, fallback := param{name: Str(n)}, (*any)(nil)
		if v, ok, _ := defaults.Get(n); ok {
			fallback = &v
		}
		c.shape.params, c.shape.defaults = append(c.shape.params, p), append(c.shape.defaults, fallback)
	}
	m, err := r.text("_namedtuples")
	if err != nil {
		return err
	}
	all := map[string]any{"_fields": names, "__match_args__": names, "_field_defaults": defaults, "_make": &descriptor{kind: "classmethod", fn: m.Names["_make"]}}
	for _, n := range []string{"__repr__", "_asdict", "_replace"} {
		all[n] = m.Names[n]
	}
	for n, v := range all {
		_, own := c.Members[n]
		switch {
		case !own:
			c.Members[n] = v
		case !isDunder(n):
			return raise("AttributeError", "Cannot overwrite NamedTuple attribute %s", n)
		}
	}
	return nil
}

// fields turns the annotated names of a NamedTuple into fields.
func (r *Interpreter) fields(c *Class) error {
	names, defaults := Tuple{}, r.newDict()
	for _, n := range c.annotated {
		if n[0] == '_' {
			return raise("ValueError", "Field names cannot start with an underscore: %s", Repr(n))
		}
		fallback, ok := c.Members[n]
		delete(c.Members, n)
		if !ok && defaults.Len() > 0 {
			return raise("TypeError", "non-default namedtuple field %s cannot follow default field", n)
		}
		names = append(names, n)
		if ok {
			_ = defaults.Put(n, fallback)
		}
	}
	return r.shape(c, names, defaults)
}

// field is the position of a field in a NamedTuple; -1 if there is none.
func (c *Class) field(name string) int {
	if c.shape == nil {
		return -1
	}
	return slices.IndexFunc(c.shape.params, func(p param) bool { return p.name == name })
}

// fill sets the items of a NamedTuple.
func (c *Class) fill(o *Instance, call *Call) error {
	s := &scope{names: map[string]any{}}
	err := bindParams(s, c.shape, call.Args, call)
	o.tuple = Tuple{}
	for _, p := range c.shape.params {
		o.tuple = append(o.tuple, s.names[p.name])
	}
	return err
}

// tupleNatives are the reader's functions for library/_namedtuples.py.
func tupleNatives(names map[string]any) {
	names["_tuple_class"] = &Builtin{Name: "_tuple_class", Call: func(c *Call) (any, error) {
		name := Str(c.Args[0])
		class := &Class{Name: name, qual: name, Members: map[string]any{}, run: c.run}
		class.mro = []any{class, c.run.builtins["object"]}
		fields, _ := c.Args[1].(Tuple)
		defaults, _ := c.Args[2].(*Dict)
		return class, c.run.shape(class, fields, defaults)
	}}
	names["_tuple"] = &Builtin{Name: "_tuple", Call: func(c *Call) (any, error) {
		class, _ := c.Args[0].(*Class)
		items, _ := c.Args[1].(Tuple)
		return &Instance{Class: class, tuple: items}, nil
	}}
}
