package python

import (
	"fmt"
	"slices"
	"strings"
)

// Instance is an object of a class in a file.
type Instance struct {
	Class *Class
	own   Dict  // attributes
	tuple Tuple // items of a NamedTuple
}

func (o *Instance) get(name string) any {
	v, _, _ := o.own.Get(name)
	return v
}

func (o *Instance) set(name string, v any) { _ = o.own.Put(name, v) }

// on binds a function to an object.
func (f *Function) on(self any) *Function {
	method := *f
	method.self, method.bound, method.of = self, true, f
	return &method
}

// special returns the class's method for one of Python's special names, bound to
// the object; nil if there is none. Attributes of the object itself do not count.
func (o *Instance) special(name string) any {
	v, ok := o.Class.member(name)
	if !ok || v == nil {
		return nil
	}
	m, err := o.Class.run.bound(v, o, o.Class)
	if err != nil {
		return nil
	}
	return m
}

// truthOf is the truth value of an object of a file.
func (r *Interpreter) truthOf(o *Instance) (value, known bool) {
	if m := o.special("__bool__"); m != nil {
		answer, err := r.invoke(m, &Call{})
		b, isBool := answer.(bool)
		return b, err == nil && isBool
	}
	if m := o.special("__len__"); m != nil {
		answer, err := r.invoke(m, &Call{})
		n, isInt := answer.(int64)
		return n != 0, err == nil && isInt
	}
	if o.tuple != nil {
		return len(o.tuple) > 0, true
	}
	if p := o.plain(); p != nil {
		return truth(p)
	}
	return true, o.Class.foreign() == nil
}

func (r *Interpreter) instanceAttribute(o *Instance, name string) (any, error) {
	v, ok := o.Class.member(name)
	d, isDescriptor := v.(*descriptor)
	if isDescriptor && d.kind == "property" {
		out, err := r.bound(d, o, o.Class)
		if !r.lacks(err) || o.special("__getattr__") == nil {
			return out, err
		}
		return r.invoke(o.special("__getattr__"), &Call{Args: []any{name}})
	}
	if own, has, _ := o.own.Get(name); has {
		return own, nil
	}
	if o.tuple != nil {
		if at := o.Class.field(name); at >= 0 {
			return o.tuple[at], nil
		}
	}
	if ok {
		out, err := r.bound(v, o, o.Class)
		if isDescriptor && d.kind == "cached_property" && err == nil {
			o.set(name, out)
		}
		return out, err
	}
	return r.inherited(o, name)
}

// inherited returns an attribute that no class of the file defines.
func (r *Interpreter) inherited(o *Instance, name string) (any, error) {
	c := o.Class
	if u := c.foreign(); u != nil {
		return u, nil
	}
	switch {
	case name == "__class__":
		return c, nil
	case name == "__dict__" && o.tuple == nil && c.enum == nil && !c.isException():
		return &o.own, nil
	case c.enum != nil && (name == "name" || name == "value"):
		return o.get("_" + name + "_"), nil
	}
	if m, ok := o.inheritedMethod(name); ok {
		return m, nil
	}
	if m := o.special("__getattr__"); m != nil {
		return r.invoke(m, &Call{Args: []any{name}})
	}
	if isPythons(name) || c.isException() && slices.Contains(exceptionParts, name) {
		return nil, fmt.Errorf("%s of a %s is not read", name, c.Name)
	}
	return nil, raise("AttributeError", "'%s' object has no attribute '%s'", c.Name, name)
}

// inheritedMethod returns a method of the tuple, text or number that an object
// also is.
func (o *Instance) inheritedMethod(name string) (any, bool) {
	if o.tuple != nil {
		if m, ok := method(o.tuple, name); ok {
			return m, true
		}
	}
	if p := o.plain(); p != nil {
		return method(p, name)
	}
	return nil, false
}

// put sets an attribute of an object as object.__setattr__ does.
func (r *Interpreter) put(o *Instance, name string, value any) error {
	c := o.Class
	v, _ := c.member(name)
	if d, ok := v.(*descriptor); ok && d.kind == "property" {
		if d.set == nil {
			return raise("AttributeError", "property '%s' of '%s' object has no setter", name, c.Name)
		}
		_, err := r.invoke(d.set, &Call{Args: []any{o, value}})
		return err
	}
	switch {
	case o.tuple != nil && c.field(name) >= 0:
		return raise("AttributeError", "can't set attribute")
	case o.tuple != nil && len(c.mro) < 4 || c.Name == "object":
		return raise("AttributeError", "'%s' object has no attribute '%s'", c.Name, name)
	case c.enum != nil && (name == "name" || name == "value"):
		return raise("AttributeError", "<enum '%s'> cannot set attribute '%s'", c.Name, name)
	case name == "__class__" || name == "__dict__":
		return fmt.Errorf("%s of a %s cannot be set here", name, c.Name)
	}
	return o.own.Put(name, value)
}

// setAttribute is Class.name = v.
func (c *Class) setAttribute(name string, v any) error {
	switch {
	case c.exception || c.Name == "object":
		return raise("TypeError", "cannot set '%s' attribute of immutable type '%s'", name, c.Name)
	case c.enum != nil && c.enum.has(name):
		return raise("AttributeError", "cannot reassign member '%s'", name)
	case isDunder(name) && name != "__doc__":
		return fmt.Errorf("%s of class %s cannot be set after its body; write it in the class", name, c.Name)
	}
	if _, ok := c.Members[name]; !ok {
		c.names = append(c.names, name)
	}
	c.Members[name] = v
	return nil
}

// instantiate makes an object of a class in the file.
func (r *Interpreter) instantiate(c *Class, call *Call) (any, error) {
	call.run = r
	u := c.foreign()
	switch {
	case u != nil:
		return r.callUnknown(u.but("%s, made from %s", c.Name, u.Why), call, c)
	case c.enum != nil:
		return r.memberOf(c, call)
	case call.PassesUnknown != nil:
		return nil, fmt.Errorf("%s() is given arguments that cannot be known without running Python (%s); write them out", c.Name, call.PassesUnknown.Why)
	case c.typed:
		return makeDict(call)
	}
	if err := c.checkConcrete(); err != nil {
		return nil, err
	}
	o := &Instance{Class: c, own: Dict{meter: r.meter}}
	init, _ := c.member("__init__")
	b, isOwn := init.(*Builtin)
	switch {
	case c.isException():
		if err := c.checkException(call); err != nil {
			return nil, err
		}
		o.setArgs(call.Args)
	case c.shape != nil:
		if err := c.fill(o, call); err != nil || isOwn && b.Name == "object" {
			return o, err
		}
	case isOwn && b.Name == "object" && len(call.Args)+len(call.Names) > 0:
		return nil, raise("TypeError", "%s() takes no arguments", c.Name)
	}
	return o, r.initialize(o, init, call)
}

// setArgs sets the arguments of a new exception, and what Python makes of them.
func (o *Instance) setArgs(args []any) {
	o.set("args", Tuple(slices.Clone(args)))
	var of any
	if len(args) > 0 {
		of = args[0]
	}
	for _, b := range o.Class.mro {
		switch c, _ := b.(*Class); {
		case c == nil || !c.exception:
		case c.Name == "StopIteration":
			o.set("value", of)
		case c.Name == "SystemExit" && len(args) > 1:
			o.set("code", Tuple(slices.Clone(args)))
		case c.Name == "SystemExit":
			o.set("code", of)
		}
	}
}

// checkConcrete refuses a class that cannot have instances.
func (c *Class) checkConcrete() error {
	if missing := c.abstract(); len(missing) > 0 {
		s := map[bool]string{true: "s"}[len(missing) > 1]
		return raise("TypeError", "Can't instantiate abstract class %s with abstract method%s %s", c.Name, s, strings.Join(missing, ", "))
	}
	if c.derivesDirectly("Protocol") {
		return raise("TypeError", "Protocols cannot be instantiated")
	}
	return nil
}

// initialize calls the __init__ of a new object.
func (r *Interpreter) initialize(o *Instance, init any, call *Call) error {
	if err := r.meter.take(instanceSize); err != nil {
		return err
	}
	m, err := r.bound(init, o, o.Class)
	if err != nil {
		return err
	}
	out, err := r.invoke(m, call)
	if _, unknown := out.(*Unknown); err == nil && out != nil && !unknown {
		err = raise("TypeError", "__init__() should return None, not '%s'", TypeName(out))
	}
	return err
}

// objectClass is the class object.
func objectClass(r *Interpreter) *Class {
	c := &Class{Name: "object", qual: "object", run: r}
	c.mro = []any{c}
	nothing := native("object", func(o *Instance, call *Call) (any, error) {
		if len(call.Args)+len(call.Names) > 0 {
			return nil, raise("TypeError", "object.__init__() takes exactly one argument (the instance to initialize)")
		}
		return nil, nil
	})
	set := native("__setattr__", func(o *Instance, call *Call) (any, error) {
		name, ok := asText(append(call.Args, nil)[0])
		if !ok || len(call.Args) != 2 {
			return nil, raise("TypeError", "__setattr__() takes a name and a value")
		}
		return nil, r.put(o, name, call.Args[1])
	})
	subclass := &Builtin{Name: "__init_subclass__", method: true, Call: func(call *Call) (any, error) {
		if k, ok := append(call.Args, nil)[0].(*Class); ok && len(call.Args)+len(call.Names) > 1 {
			return nil, raise("TypeError", "%s.__init_subclass__() takes no keyword arguments", k.Name)
		}
		return nil, nil
	}}
	c.Members = map[string]any{"__init__": nothing, "__setattr__": set, "__init_subclass__": &descriptor{kind: "classmethod", fn: subclass}}
	return c
}

// superObject is super() in a method: the classes after the given one in the
// method resolution order of the object's class.
type superObject struct {
	after *Class
	self  any
	class *Class
}

func superOf(s *scope, c *Call) (any, error) {
	out := &superObject{}
	switch {
	case len(c.Args) == 2:
		out.after, _ = c.Args[0].(*Class)
		if out.self = c.Args[1]; out.after == nil {
			return nil, fmt.Errorf("super() of a %s is not read", TypeName(c.Args[0]))
		}
	case len(c.Args) != 0:
		return nil, fmt.Errorf("super() with one argument is not read")
	case s.function == nil || s.function.owner == nil:
		return nil, fmt.Errorf("super() is read in methods alone, not in functions or loops within them")
	default:
		out.after, out.self = s.function.owner, s.self
	}
	if u := out.after.foreign(); u != nil {
		return u, nil
	}
	switch self := out.self.(type) {
	case *Instance:
		out.class = self.Class
	case *Class:
		out.class = self
	}
	if out.class == nil || !out.class.derives(out.after) {
		return nil, raise("TypeError", "super(type, obj): obj must be an instance or subtype of type")
	}
	return out, nil
}

func (o *superObject) attribute(r *Interpreter, name string) (any, error) {
	at := slices.Index(o.class.mro, any(o.after))
	self := o.self
	if _, ok := self.(*Class); ok {
		self = nil
	}
	for _, b := range o.class.mro[at+1:] {
		switch b := b.(type) {
		case *Unknown:
			return b, nil
		case *Class:
			if v, ok := b.Members[name]; ok {
				return r.bound(v, self, o.class)
			}
		}
	}
	if isPythons(name) || o.class.enum != nil || o.class.shape != nil {
		return nil, fmt.Errorf("super().%s of class %s is not read", name, o.class.Name)
	}
	return nil, raise("AttributeError", "'super' object has no attribute '%s'", name)
}
