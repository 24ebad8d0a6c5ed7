package python

import (
	"cmp"
	"fmt"
	"slices"
)

// attribute evaluates value.name.
func (r *Interpreter) attribute(v any, name string) (any, error) {
	switch v := v.(type) {
	case *Unknown:
		r.doubt(v.Why + "." + name + " is there")
		return v.but("%s.%s", v.Why, name), nil
	case *Module:
		return r.moduleAttribute(v, name)
	case *Builtin:
		return builtinAttribute(v, name), nil
	case *Function:
		return v.attribute(name)
	case *descriptor:
		return v.attribute(name)
	case *Class:
		return r.classAttribute(v, name)
	case *Instance:
		return r.instanceAttribute(v, name)
	case *superObject:
		return v.attribute(r, name)
	}
	if o, ok := v.(Object); ok {
		if found, ok, err := r.objectAttribute(o, name); ok || err != nil {
			return found, err
		}
	}
	if name == "__class__" {
		return r.typeOf(v), nil
	}
	found, ok := method(v, name)
	if ok {
		return found, nil
	}
	if unread(v, name) {
		return nil, fmt.Errorf("%s.%s is not read; write its result out", TypeName(v), name)
	}
	return nil, raise("AttributeError", "'%s' object has no attribute '%s'", TypeName(v), name)
}

// objectAttribute returns an attribute of a host's object; false if the language
// itself may still provide it.
func (r *Interpreter) objectAttribute(o Object, name string) (any, bool, error) {
	found, ok := o.Attr(name)
	if l, isList := found.(*List); isList { // which the host may have built for this
		return found, ok, cmp.Or(r.charge(4*len(l.Items)), r.meter.hold(l))
	}
	if exact, known := o.(Exact); !ok && (!known || exact.Unread(name)) {
		return nil, false, fmt.Errorf("attribute '%s' of a %s is not read; write its value out", name, TypeName(o))
	}
	return found, ok, nil
}

// attribute is an attribute of a function.
func (f *Function) attribute(name string) (any, error) {
	switch name {
	case "__name__":
		return f.Name, nil
	case "__qualname__":
		return f.qual, nil
	case "__module__":
		return f.scope.top.names["__name__"], nil
	case "__doc__":
		if f.wrapped != nil {
			return f.wrapped.attribute(name)
		}
		return docText(f.body), nil
	case "cache_info", "cache_clear", "cache_parameters", "__wrapped__":
	default:
		if !isDunder(name) {
			return nil, raise("AttributeError", "'function' object has no attribute '%s'", name)
		}
	}
	return nil, fmt.Errorf("%s of a function is not read", name)
}

func (f *Function) setAttribute(name string, v any) error {
	text, ok := v.(string)
	if f.bound || !ok || name != "__name__" && name != "__qualname__" {
		return fmt.Errorf("attribute '%s' of a function cannot be set here", name)
	}
	if name == "__qualname__" {
		f.qual = text
		return nil
	}
	f.Name = text
	return nil
}

// property is property().
func property(c *Call) (any, error) {
	d := &descriptor{kind: "property"}
	d.fn, _ = c.take(0, "fget")
	d.set, _ = c.take(1, "fset")
	d.del, _ = c.take(2, "fdel")
	return d, nil
}

// attribute is an attribute of a property.
func (d *descriptor) attribute(name string) (any, error) {
	if d.kind != "property" {
		return nil, fmt.Errorf("%s of a %s is not read", name, d.kind)
	}
	switch name {
	case "fget":
		return d.fn, nil
	case "getter", "setter", "deleter":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			fn, err := c.one(name)
			out := *d
			*map[string]*any{"getter": &out.fn, "setter": &out.set, "deleter": &out.del}[name] = fn
			return &out, err
		}}, nil
	}
	return nil, fmt.Errorf("%s of a property is not read", name)
}

func (r *Interpreter) moduleAttribute(m *Module, name string) (any, error) {
	if v, ok := m.get(name); ok {
		r.perhaps(v)
		return v, nil
	}
	if name == "__dict__" {
		return nil, fmt.Errorf("__dict__ of module '%s' is not read; name what is meant", m.Name)
	}
	return nil, raise("AttributeError", "module '%s' has no attribute '%s'", m.Name, name)
}

// typeMethod returns a method of a type itself, such as str.lower.
func typeMethod(b *Builtin, name string) (any, bool) {
	v := emptyOf(b.Name)
	if v == nil || b.of != nil {
		return nil, false
	}
	if b.Name == "dict" && name == "fromkeys" {
		return written("_builtins", name), true
	}
	if _, found := method(v, name); !found {
		return nil, false
	}
	return &Builtin{Name: name, of: b, Call: func(c *Call) (any, error) {
		self, err := c.one(name)
		if err != nil {
			return nil, err
		}
		if u, unknown := self.(*Unknown); unknown {
			return u, nil
		}
		if !slices.Contains(kindsOf(Plain(self)), b.Name) {
			return nil, raise("TypeError", "descriptor '%s' for '%s' objects doesn't apply to a '%s' object", name, b.Name, TypeName(self))
		}
		fn, err := c.run.attribute(self, name)
		if err != nil {
			return nil, err
		}
		return c.Apply(fn, c.Args[1:], c.Names, c.Named)
	}}, true
}

func builtinAttribute(b *Builtin, name string) any {
	if found, ok := b.Members[name]; ok {
		return found
	}
	if found, ok := typeMethod(b, name); ok {
		return found
	}
	switch name {
	case "__name__", "__qualname__":
		return b.Name
	case "__members__":
		return &Unknown{Why: b.Name + ".__members__"}
	}
	return &Unknown{Why: b.Name + "." + name}
}

// namespace is the result of globals(): the live names of a module.
type namespace struct{ scope *scope }

// Kinds lists the types of globals().
func (n *namespace) Kinds() []string { return []string{"dict"} }

// Index is globals()[name].
func (n *namespace) Index(key any) (any, error) {
	name, _ := asText(key)
	if v, ok := n.scope.names[name]; ok {
		return v, nil
	}
	return nil, raiseKey(key)
}

// Contains is name in globals().
func (n *namespace) Contains(v any) (bool, error) {
	name, _ := asText(v)
	return has(n.scope.names, name), nil
}

// Delete is del globals()[name].
func (n *namespace) Delete(key any) (bool, error) {
	name, _ := asText(key)
	found := has(n.scope.names, name)
	delete(n.scope.names, name)
	return found, nil
}

// Put is globals()[name] = v.
func (n *namespace) Put(key, v any) error {
	if u, ok := key.(*Unknown); ok {
		return fmt.Errorf("the name that is bound here cannot be known without running Python (%s)", u.Why)
	}
	name, ok := asText(key)
	if !ok {
		return raise("TypeError", "names are text, not %s", TypeName(key))
	}
	if u, ok := v.(*Unknown); ok && u.Trust == Untrusted {
		return fmt.Errorf("'%s' may be a definition: only running Python can tell what %s is; %s", name, u.Why, remedyOf(u))
	}
	n.scope.set(name, v)
	return nil
}

// Attr returns the methods of globals().
func (n *namespace) Attr(name string) (any, bool) {
	var call func(c *Call) (any, error)
	switch name {
	case "update":
		call = func(c *Call) (any, error) { return nil, n.update(c) }
	case "get", "setdefault":
		call = func(c *Call) (any, error) {
			d, key := c.run.newDict(), append(c.Args, nil)[0]
			text, _ := asText(key)
			if v, ok := n.scope.names[text]; ok {
				_ = d.Put(text, v)
			}
			v, err := dictMethod(d, name)(c)
			if name == "setdefault" && err == nil {
				err = n.Put(key, v)
			}
			return v, err
		}
	case "items", "keys", "values", "copy":
		call = func(c *Call) (any, error) {
			d, err := c.run.dictOf(n.scope)
			if err != nil {
				return nil, err
			}
			return dictMethod(d, name)(c)
		}
	}
	return &Builtin{Name: name, Call: call}, call != nil
}

func (n *namespace) update(c *Call) error {
	v, err := makeDict(c)
	d, ok := v.(*Dict)
	if err != nil || !ok {
		return fmt.Errorf("what is bound here cannot be known without running Python")
	}
	for k, v := range d.All() {
		if err := n.Put(k, v); err != nil {
			return err
		}
	}
	return nil
}

// localsOf is locals and vars: at module level the module's names, else the
// current names of the function.
func (r *Interpreter) localsOf(s *scope, name string) any {
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		if len(c.Args) > 0 {
			if name == "vars" {
				return r.attribute(c.Args[0], "__dict__")
			}
			return nil, raise("TypeError", "locals() takes no arguments (%d given)", len(c.Args))
		}
		if s == s.top {
			return &namespace{s.top}, nil
		}
		return r.dictOf(s.holder())
	}}
}

// dictOfNames makes a dict of names, in their order.
func (r *Interpreter) dictOfNames(names map[string]any) (any, error) {
	d := r.newDict()
	for _, k := range (&Module{Names: names}).Dir() {
		if err := d.Put(k, names[k]); err != nil {
			return nil, err
		}
	}
	return d, nil
}
