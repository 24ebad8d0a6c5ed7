package python

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Class is a class defined in a file, or one of Python's own.
type Class struct {
	Name    string
	Members map[string]any
	bases   []any
	// mro is the method resolution order, starting with the class itself; it includes
	// types of the standard library and Unknown bases.
	mro       []any
	run       *Interpreter
	qual      string
	exception bool
	abc       bool
	enum      *enumeration
	typed     bool      // a TypedDict
	names     []string  // names that the body binds, in order
	notes     Dict      // annotations
	annotated []string  // annotated names, except ClassVars
	shape     *Function // function of a NamedTuple, whose parameters are the fields
}

// descriptor is a property, a static or a class method.
type descriptor struct {
	kind     string
	fn       any // getter of a property
	set, del any
}

// unreadHooks are Python's special names that change the behavior of a class and
// are not supported. Other special names are supported or have no meaning in
// Python.
const unreadHooks = ` __new__ __del__ __set_name__ __get__ __set__ __delete__ __getattribute__ __delattr__ __class_getitem__ __slots__
 __class__ __dir__ __sizeof__ __reduce__ __reduce_ex__ __copy__ __deepcopy__ __getstate__ __setstate__ __getnewargs__ __getnewargs_ex__
 __instancecheck__ __subclasscheck__ __subclasshook__ __prepare__ __mro_entries__ __mro__ __dict__ __weakref__ __bases__ __ne__
 __missing__ __int__ __float__ __complex__ __index__ __round__ __trunc__ __floor__ __ceil__ __bytes__ __abs__ __neg__ __pos__ __invert__
 __add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __matmul__ __and__ __or__ __xor__ __lshift__ __rshift__
 __radd__ __rsub__ __rmul__ __rtruediv__ __rfloordiv__ __rmod__ __rpow__ __rmatmul__ __rand__ __ror__ __rxor__ __iadd__ __isub__ __imul__
 __itruediv__ __iand__ __ior__ __ixor__ __delitem__ __length_hint__ __fspath__ __await__ __aiter__ __anext__ __aenter__ __aexit__ __replace__ __buffer__ __name__ `

func isDunder(n string) bool {
	return len(n) > 4 && strings.HasPrefix(n, "__") && strings.HasSuffix(n, "__")
}

// isPythons reports whether Python's own objects or classes have a name.
func isPythons(name string) bool {
	return strings.Contains(` __class__ __delattr__ __dict__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __getstate__ __gt__ __hash__
 __init__ __init_subclass__ __le__ __lt__ __module__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ __sizeof__ __str__
 __subclasshook__ __weakref__ __annotations__ __call__ __subclasses__ __instancecheck__ __or__ __abstractmethods__ __slots__ `, " "+name+" ")
}

// member checks a name that the body of a class binds.
func (r *Interpreter) member(s *scope, name string, v any) (any, error) {
	if c := s.owner; c != nil && !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
	if c := s.owner; c != nil && c.foreign() == nil {
		if isDunder(name) && strings.Contains(strings.ReplaceAll(unreadHooks, "\n", ""), " "+name+" ") {
			return nil, fmt.Errorf("%s of class %s is not read; write the class without it", name, c.Name)
		}
		if c.enum != nil {
			return r.enumName(c, name, v)
		}
	}
	return v, nil
}

func (r *Interpreter) annotate(s *scope, name string, st *annotatedStmt) error {
	c := s.owner
	var note any = &Unknown{Why: "the type of " + c.Name + "." + name, Trust: Harmless}
	late := strings.Contains(s.file.Source, "__future__") // then annotations may be texts
	switch k := st.kind.(type) {
	case *constExpr, *nameExpr:
		if late {
			break
		}
		v, err := r.eval(s, k)
		if err != nil {
			return err
		}
		note = v
	}
	if err := c.notes.Put(name, note); err != nil {
		return err
	}
	unread, classVar := "", false
	look := func(n string) {
		classVar = classVar || strings.Contains(n, "ClassVar")
		if strings.Contains(n, "KW_ONLY") || strings.Contains(n, "InitVar") {
			unread = n
		}
	}
	walkExpr(st.kind, look)
	if k, ok := st.kind.(*constExpr); ok {
		text, _ := k.value.(string)
		look(text)
	}
	if unread != "" && c.foreign() == nil {
		return fmt.Errorf("%s of a dataclass is not read; write it without", unread)
	}
	if !classVar && !slices.Contains(c.annotated, name) {
		c.annotated = append(c.annotated, name)
	}
	return nil
}

// qualified is the __qualname__ of an object that a scope binds.
func (s *scope) qualified(name string) string {
	for x := s; x != nil; x = x.outer {
		switch {
		case x.owner != nil:
			return x.owner.qual + "." + name
		case x.function != nil:
			return x.function.qual + ".<locals>." + name
		}
	}
	return name
}

// class executes a class statement.
func (r *Interpreter) class(s *scope, st *classStmt) error {
	if err := r.meter.take(classSize); err != nil {
		return err
	}
	c := &Class{Name: st.name, run: r, qual: s.qualified(st.name), Members: map[string]any{"__doc__": docText(st.body), "__module__": s.top.names["__name__"]}}
	options := &Call{}
	decorators, err := r.display(s, st.decorators)
	if err == nil {
		err = r.bases(s, c, st.bases, options)
	}
	if err != nil {
		return err
	}
	body := s.inner(scopeClass, s.file)
	body.names, body.owner, body.binds = c.Members, c, st.binds
	if _, err := r.run(body, st.body); err != nil {
		return err
	}
	if err := r.finish(c, options); err != nil {
		return err
	}
	var made any = c
	if c.enum != nil && c.enum.unread != nil {
		made = c.enum.unread
	}
	v, err := r.decorate(s, st.decorators, decorators, made)
	if err != nil {
		return err
	}
	return r.assign(s, st.name, v)
}

// finish completes a class after its body, according to its bases.
func (r *Interpreter) finish(c *Class, options *Call) error {
	c.names = append(c.names, "__dict__", "__weakref__", "__doc__", "__hash__")
	if _, own := c.Members["__hash__"]; !own && c.Members["__eq__"] != nil {
		c.Members["__hash__"] = nil // as Python does
	}
	if f, ok := c.Members["__init_subclass__"].(*Function); ok {
		c.Members["__init_subclass__"] = &descriptor{kind: "classmethod", fn: f}
	}
	if c.foreign() != nil {
		return nil
	}
	if c.enum != nil {
		return r.makeMembers(c)
	}
	if c.derivesDirectly("NamedTuple") {
		if err := r.fields(c); err != nil {
			return err
		}
	}
	if c.typed {
		return nil
	}
	hook, err := (&superObject{after: c, self: c, class: c}).attribute(r, "__init_subclass__")
	if err != nil {
		return err
	}
	_, err = r.invoke(hook, options)
	return err
}

// abstract lists the abstract methods that prevent instances of a class.
func (c *Class) abstract() []string {
	var names []string
	for _, b := range c.mro {
		if b, ok := b.(*Class); ok && c.abc {
			for n := range b.Members {
				if v, _ := c.member(n); isAbstract(v) && !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

func isAbstract(v any) bool {
	switch v := v.(type) {
	case *Function:
		return v.abstract
	case *descriptor:
		return isAbstract(v.fn) || isAbstract(v.set) || isAbstract(v.del)
	}
	return false
}

func (c *Class) member(name string) (any, bool) {
	for _, b := range c.mro {
		if b, ok := b.(*Class); ok {
			if v, ok := b.Members[name]; ok {
				return v, true
			}
		}
	}
	return nil, false
}

// foreign is the Unknown base; nil if there is none.
func (c *Class) foreign() *Unknown {
	return cmp.Or(anyUnknown(c.mro...), anyUnknown(c.bases...))
}

// derives reports whether a class is another class or derives from it.
func (c *Class) derives(other *Class) bool { return slices.Contains(c.mro, any(other)) }

func (c *Class) isException() bool {
	return slices.ContainsFunc(c.mro, func(b any) bool {
		base, ok := b.(*Class)
		return ok && base.exception
	})
}

// members are the items of an iteration over an enumeration.
func (c *Class) members() ([]any, bool) {
	if c.enum == nil {
		return nil, false
	}
	var items []any
	for n, m := range c.enum.members.All() {
		if o, ok := m.(*Instance); ok && o.get("_name_") == n {
			items = append(items, m)
		}
	}
	return items, true
}

// item is Class["member"]; for a class with type parameters the result is the
// class.
func (c *Class) item(key any) (any, error) {
	if c.enum == nil {
		if c.derivesFrom("Generic") || c.derivesFrom("Protocol") || c.foreign() != nil {
			return c, nil
		}
		return nil, raise("TypeError", "type '%s' is not subscriptable", c.Name)
	}
	return c.run.dictItem(&c.enum.members, key)
}

// basesOf is __bases__: a class without explicit bases has object.
func (r *Interpreter) basesOf(c *Class) Tuple {
	if len(c.bases) == 0 && c.Name != "object" {
		return Tuple{r.builtins["object"]}
	}
	return Tuple(c.bases)
}

func (r *Interpreter) classAttribute(c *Class, name string) (any, error) {
	if u := c.foreign(); u != nil {
		return u, nil
	}
	switch name {
	case "__name__":
		return c.Name, nil
	case "__qualname__":
		return c.qual, nil
	case "__class__":
		return r.typeOf(c), nil
	case "__mro__":
		return Tuple(c.mro), nil
	case "__bases__":
		return r.basesOf(c), nil
	case "__annotations__":
		return c.notes.Clone(), nil
	case "__dict__":
		return c.dict()
	case "__members__":
		if c.enum != nil {
			d := c.enum.members.Clone()
			d.ReadOnly = "the members of an enumeration are not changed"
			return d, nil
		}
	}
	v, ok := c.member(name)
	switch {
	case ok:
		return r.bound(v, nil, c)
	case isPythons(name) || name == "mro":
		return nil, fmt.Errorf("%s of class %s is not read", name, c.Name)
	}
	return nil, raise("AttributeError", "type object '%s' has no attribute '%s'", c.Name, name)
}

// hasPythonsMembers reports whether Python adds members to a class beyond its
// body and the names that all classes have.
func (c *Class) hasPythonsMembers() bool {
	_, data := c.Members["__dataclass_fields__"]
	return c.enum != nil || c.shape != nil || data || c.isException() || c.abc || c.Name == "object"
}

// dict is a copy of the class body's names, with those that Python adds.
func (c *Class) dict() (any, error) {
	if c.hasPythonsMembers() {
		return nil, fmt.Errorf("__dict__ of class %s is not read", c.Name)
	}
	d := &Dict{meter: c.run.meter, ReadOnly: "the dict of a class is not changed; set attributes of the class"}
	names := []string{"__module__", "__annotations__", "__doc__"}
	if c.Members["__doc__"] == nil {
		names = names[:2]
	}
	for _, n := range append(names, c.names...) {
		v, ok := c.Members[n]
		switch {
		case n == "__annotations__" && c.notes.Len() > 0:
			v, ok = c.notes.Clone(), true
		case (n == "__dict__" || n == "__weakref__") && len(c.mro) == 2:
			v, ok = &Unknown{Why: n, Trust: Harmless}, true
		}
		if ok {
			if err := d.Put(n, v); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// bound returns a member of a class as accessed through an object, or through the
// class if self is nil.
func (r *Interpreter) bound(v, self any, c *Class) (any, error) {
	d, ok := v.(*descriptor)
	if !ok {
		if self == nil {
			return v, nil
		}
		switch f := v.(type) {
		case *Function:
			return f.on(self), nil
		case *Builtin:
			if f.method {
				return f.on(self), nil
			}
		}
		return v, nil
	}
	switch {
	case d.kind == "staticmethod":
		return d.fn, nil
	case d.kind == "classmethod":
		f, ok := d.fn.(*Function)
		if !ok {
			b, isMethod := d.fn.(*Builtin)
			if !isMethod {
				return nil, fmt.Errorf("a classmethod of a %s is not read", TypeName(d.fn))
			}
			return b.on(c), nil
		}
		return f.on(c), nil
	case self == nil:
		return d, nil
	}
	if d.fn == nil {
		return nil, raise("AttributeError", "property of '%s' object has no getter", c.Name)
	}
	return r.invoke(d.fn, &Call{Args: []any{self}})
}

// on binds a function of the reader to an object.
func (b *Builtin) on(self any) *Builtin {
	return &Builtin{Name: b.Name, Definer: b.Definer, of: self, Call: func(c *Call) (any, error) {
		call := *c
		call.Args = append([]any{self}, c.Args...)
		return b.Call(&call)
	}}
}

// native makes a method of the reader for objects of classes in files.
func native(name string, call func(o *Instance, c *Call) (any, error)) *Builtin {
	return &Builtin{Name: name, method: true, Call: func(c *Call) (any, error) {
		if len(c.Args) == 0 {
			return nil, raise("TypeError", "unbound method %s() needs an argument", name)
		}
		o, ok := c.Args[0].(*Instance)
		if !ok {
			return nil, fmt.Errorf("%s() of a %s is not read", name, TypeName(c.Args[0]))
		}
		rest := *c
		rest.Args = c.Args[1:]
		return call(o, &rest)
	}}
}
