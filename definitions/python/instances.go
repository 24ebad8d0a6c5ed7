package python

import (
	"fmt"
	"slices"
	"strings"
)

// on binds a function to an object.
func (f *Function) on(self any) *Function {
	method := *f
	method.self, method.bound = self, true
	return &method
}

// method finds a function of the object's class, bound to it.
func (o *Instance) method(name string) (*Function, bool) {
	v, ok := o.Class.member(name)
	f, isFunction := v.(*Function)
	if !ok || !isFunction {
		return nil, false
	}
	return f.on(o), true
}

// plain is the text or number that a member of a mixed enumeration is; nil for
// other objects.
func (o *Instance) plain() any {
	if !o.Class.enum || !o.Class.mixed {
		return nil
	}
	switch v := o.Members["value"].(type) {
	case string, int64, float64:
		return v
	}
	return nil
}

func (o *Instance) truth() (value, ok bool) {
	if o.tuple != nil {
		return len(o.tuple) > 0, true
	}
	if p := o.plain(); p != nil {
		return truth(p)
	}
	if u := o.Class.foreign(); u != nil {
		return false, false
	}
	_, isBool := o.Class.member("__bool__")
	_, isLen := o.Class.member("__len__")
	return true, !isBool && !isLen
}

func (r *Interpreter) instanceAttribute(o *Instance, name string) (any, error) {
	v, ok := o.Class.member(name)
	if d, isDescriptor := v.(*descriptor); ok && isDescriptor {
		switch d.kind {
		case "property":
			f, isFunction := d.fn.(*Function)
			if !isFunction {
				return &Unknown{Why: "a property"}, nil
			}
			return r.invoke(f.on(o), &Call{})
		case "classmethod":
			if f, isFunction := d.fn.(*Function); isFunction {
				return f.on(o.Class), nil
			}
		}
		return d.fn, nil
	}
	if own, has := o.Members[name]; has {
		return own, nil
	}
	if f, isFunction := v.(*Function); isFunction {
		return f.on(o), nil
	}
	if ok {
		return v, nil
	}
	return r.inherited(o, name)
}

// inherited gives what no class of the file defines.
func (r *Interpreter) inherited(o *Instance, name string) (any, error) {
	switch {
	case name == "__class__":
		return o.Class, nil
	case name == "__dict__":
		return dictOf(o.Members)
	case o.tuple != nil && name == "_asdict":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return o.asDict() }}, nil
	case o.tuple != nil && name == "_replace":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) { return r.replaced(o, c) }}, nil
	case o.Class.exception || o.Class.isException():
		return &Unknown{Why: "an exception"}, nil
	}
	if p := o.plain(); p != nil {
		if m, ok := method(p, name); ok {
			return m, nil
		}
	}
	if u := o.Class.foreign(); u != nil {
		return u, nil
	}
	if _, ok := o.Class.member("__getattr__"); ok {
		return nil, fmt.Errorf("__getattr__ of class %s is not read", o.Class.Name)
	}
	return nil, raise("AttributeError", "'%s' object has no attribute '%s'", o.Class.Name, name)
}

func (o *Instance) asDict() (any, error) {
	d := &Dict{}
	for _, f := range o.Class.fields {
		if err := d.Put(f.name, o.Members[f.name]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// replaced copies a data object with some fields changed.
func (r *Interpreter) replaced(o *Instance, c *Call) (any, error) {
	call := &Call{}
	for _, f := range o.Class.fields {
		v, ok := c.Arg(f.name)
		if !ok {
			v = o.Members[f.name]
		}
		call.Names, call.Named = append(call.Names, f.name), append(call.Named, v)
	}
	return r.instantiate(o.Class, call)
}

// instantiate makes an object of a class of the file.
func (r *Interpreter) instantiate(c *Class, call *Call) (any, error) {
	call.run = r
	if c.enum {
		return c.lookup(call)
	}
	if u := call.PassesUnknown; u != nil {
		return nil, fmt.Errorf("%s() is given arguments that cannot be known without running Python (%s); write them out", c.Name, u.Why)
	}
	o := &Instance{Class: c, Members: map[string]any{}}
	if init, ok := o.method("__init__"); ok {
		_, err := r.invoke(init, call)
		return o, err
	}
	switch u := c.foreign(); {
	case c.fields != nil:
		return r.fill(o, call)
	case u != nil:
		return u.but("an object of class %s, made from %s", c.Name, u.Why), nil
	case c.isException():
		o.Members["args"] = Tuple(slices.Clone(call.Args))
		return o, nil
	case len(call.Args)+len(call.Names) > 0:
		return nil, raise("TypeError", "%s() takes no arguments", c.Name)
	}
	return o, nil
}

// lookup is Enum(value).
func (c *Class) lookup(call *Call) (any, error) {
	v, err := call.one(c.Name)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	for _, n := range c.order {
		m, _ := c.Members[n].(*Instance)
		if m == v || equal(m.Members["value"], v) {
			return m, nil
		}
	}
	return nil, raise("ValueError", "%s is not a valid %s", Repr(v), c.Name)
}

// fill sets the fields of a data class.
func (r *Interpreter) fill(o *Instance, call *Call) (any, error) {
	args := call.Args
	used := map[string]bool{}
	for _, f := range o.Class.fields {
		v, named := call.Arg(f.name)
		switch {
		case f.hidden && f.factory == nil:
			v = f.fallback
		case !f.hidden && !f.keyword && len(args) > 0:
			v, args = args[0], args[1:]
		case !f.hidden && named:
			used[f.name] = true
		case f.factory != nil:
			made, err := r.invoke(f.factory, &Call{})
			if err != nil {
				return nil, err
			}
			v = made
		case f.has:
			v = f.fallback
		default:
			return nil, raise("TypeError", "%s() missing required argument '%s'", o.Class.Name, f.name)
		}
		o.Members[f.name] = v
		if o.Class.named {
			o.tuple = append(o.tuple, v)
		}
	}
	for _, n := range call.Names {
		if !used[n] {
			return nil, raise("TypeError", "%s() got an unexpected keyword argument '%s'", o.Class.Name, n)
		}
	}
	if len(args) > 0 {
		return nil, raise("TypeError", "%s() is given %d arguments too many", o.Class.Name, len(args))
	}
	if post, ok := o.method("__post_init__"); ok {
		frozen := o.Class.frozen
		o.Class.frozen = false
		_, err := r.invoke(post, &Call{})
		o.Class.frozen = frozen
		return o, err
	}
	return o, nil
}

// superObject is super() in a method.
type superObject struct {
	owner *Class
	self  any
}

func (r *Interpreter) superOf(s *scope) any {
	for x := s; x != nil; x = x.outer {
		if x.function != nil && x.function.owner != nil {
			return &superObject{x.function.owner, x.self}
		}
	}
	return &Unknown{Why: "super()"}
}

func (o *superObject) attribute(r *Interpreter, name string) (any, error) {
	for _, b := range o.owner.bases {
		base, ok := b.(*Class)
		if !ok {
			continue
		}
		v, ok := base.member(name)
		if f, isFunction := v.(*Function); ok && isFunction {
			return f.on(o.self), nil
		}
		if d, isDescriptor := v.(*descriptor); ok && isDescriptor {
			if f, isFunction := d.fn.(*Function); isFunction {
				return f.on(o.self), nil
			}
		}
		if ok {
			return v, nil
		}
		if name == "__init__" && base.fields != nil {
			return r.dataInit(o), nil
		}
	}
	if u := o.owner.foreign(); u != nil {
		return u, nil
	}
	if strings.HasPrefix(name, "__init") || name == "__post_init__" || name == "__setattr__" {
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return nil, nil }}, nil
	}
	return nil, raise("AttributeError", "'super' object has no attribute '%s'", name)
}

// dataInit is the constructor of a data class that a method of a class derived
// from it calls.
func (r *Interpreter) dataInit(o *superObject) any {
	return &Builtin{Name: "__init__", Call: func(c *Call) (any, error) {
		self, ok := o.self.(*Instance)
		if !ok {
			return nil, fmt.Errorf("super().__init__ stands outside of a method")
		}
		_, err := r.fill(self, c)
		return nil, err
	}}
}
