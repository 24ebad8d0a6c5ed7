package python

import "fmt"

// makeNatives creates the reader's functions for the modules written in Python.
func makeNatives() map[string]any {
	names := classNatives()
	tupleNatives(names)
	of := func(name string, call func(c *Call, v any) (any, error)) {
		names[name] = &Builtin{Name: name, Call: func(c *Call) (any, error) {
			v, err := c.one(name)
			if err != nil {
				return nil, err
			}
			return call(c, v)
		}}
	}
	of("_is", func(c *Call, v any) (any, error) {
		o, ok := v.(*Instance)
		k, isClass := c.Args[1].(*Class)
		return ok && isClass && o.Class.derives(k), nil
	})
	of("_is_class", func(_ *Call, v any) (any, error) {
		k, ok := v.(*Class)
		if ok && (k.enum != nil || k.shape != nil) {
			return nil, fmt.Errorf("dataclass() of class %s is not read", k.Name)
		}
		return ok && k.foreign() == nil, nil
	})
	of("_can_default", func(c *Call, v any) (any, error) {
		switch v.(type) {
		case *List, *Dict, *Set, *Instance:
			_, err := hashKey(c.run.meter, v)
			return exception(err) == nil, nil
		case *descriptor:
			return nil, fmt.Errorf("a property as the default of a field is not read")
		}
		return true, nil
	})
	of("_unknown", func(_ *Call, v any) (any, error) {
		_, unknown := v.(*Unknown)
		return unknown, nil
	})
	of("_any_order", func(_ *Call, v any) (any, error) { return anyOrder(v), nil })
	of("_iter", func(c *Call, v any) (any, error) {
		if o, ok := v.(*Instance); ok && o.special("__iter__") != nil {
			return c.run.invoke(o.special("__iter__"), &Call{})
		}
		it, err := c.run.iterate(v)
		return it, err
	})
	of("_part", func(c *Call, v any) (any, error) {
		o, _ := v.(*Instance)
		return o.get(Str(c.Args[1])), nil
	})
	of("_known", func(_ *Call, v any) (any, error) {
		is := truthOf(v)
		if u, unknown := is.(*Unknown); unknown {
			return nil, fmt.Errorf("which items are taken here cannot be known without running Python (%s)", u.Why)
		}
		return is, nil
	})
	of("_refuse", func(_ *Call, v any) (any, error) { return nil, fmt.Errorf("%s", Str(v)) })
	of("_partial", func(c *Call, fn any) (any, error) { return partial(fn, c), nil })
	of("_cached_property", func(_ *Call, fn any) (any, error) { return &descriptor{kind: "cached_property", fn: fn}, nil })
	of("_named_like", func(c *Call, v any) (any, error) {
		f, ok := v.(*Function)
		if of, known := c.Args[1].(*Function); ok && known {
			f.Name, f.qual, f.wrapped = of.Name, of.qual, of
		}
		return v, nil
	})
	return names
}

// classNatives are those for classes.
func classNatives() map[string]any {
	names := map[string]any{}
	ofClass := func(name string, call func(k *Class, args []any) (any, error)) {
		names[name] = &Builtin{Name: name, Call: func(c *Call) (any, error) {
			v, err := c.one(name)
			k, ok := v.(*Class)
			if err == nil && !ok {
				err = fmt.Errorf("this is read of classes alone, not of a %s", TypeName(v))
			}
			if err != nil {
				return nil, err
			}
			return call(k, c.Args[1:])
		}}
	}
	ofClass("_own", func(k *Class, _ []any) (any, error) { return k.run.dictOfNames(k.Members) })
	ofClass("_annotated", func(k *Class, _ []any) (any, error) {
		d := k.run.newDict()
		for _, n := range k.annotated {
			v, _, _ := k.notes.Get(n)
			if err := d.Put(n, v); err != nil {
				return nil, err
			}
		}
		return d, nil
	})
	ofClass("_put", func(k *Class, args []any) (any, error) {
		k.Members[Str(args[0])] = args[1]
		return nil, nil
	})
	ofClass("_delete", func(k *Class, args []any) (any, error) {
		delete(k.Members, Str(args[0]))
		return nil, nil
	})
	return names
}
