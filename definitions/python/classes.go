package python

import (
	"slices"
	"strings"
)

// Class is a class of a file, or one of Python's exceptions.
type Class struct {
	Name      string
	Members   map[string]any
	bases     []any
	exception bool
	enum      bool
	mixed     bool     // an enumeration whose members are texts or integers
	named     bool     // a NamedTuple
	order     []string // of the members of an enumeration
	// annotated are the annotated names of the body; fields are those of a data
	// class or a NamedTuple, with those it inherits.
	annotated []field
	fields    []field
	frozen    bool
	plainRepr bool // it has a __repr__ of its own
}

// field is an annotated name of a class body.
type field struct {
	name     string
	fallback any
	has      bool // a default
	factory  any
	class    bool // a ClassVar
	hidden   bool // not set by the constructor
	keyword  bool
}

// Instance is an object of a class of a file.
type Instance struct {
	Class   *Class
	Members map[string]any
	tuple   Tuple // of a NamedTuple
}

// descriptor is a property, a static or a class method.
type descriptor struct {
	kind string
	fn   any
}

func (c *Class) annotate(name string, st *annotatedStmt) {
	f := field{name: name}
	walkExpr(st.kind, func(n string) {
		f.class = f.class || n == "ClassVar"
		f.keyword = f.keyword || n == "KW_ONLY"
	})
	c.annotated = append(c.annotated, f)
}

// class binds a class of the file.
func (r *Interpreter) class(s *scope, st *classStmt) error {
	c := &Class{Name: st.name, Members: map[string]any{"__name__": st.name, "__doc__": docText(st.body)}}
	decorators, err := r.display(s, st.decorators)
	if err == nil {
		err = r.bases(s, c, st.bases)
	}
	if err != nil {
		return err
	}
	body := s.inner(scopeClass, s.file)
	body.names, body.owner, body.binds = c.Members, c, st.binds
	if _, err := r.run(body, st.body); err != nil {
		return err
	}
	_, c.plainRepr = c.Members["__repr__"]
	if c.enum {
		c.makeMembers(st.body)
	}
	if c.named {
		c.makeFields()
	}
	v, err := r.decorate(s, st.decorators, decorators, c)
	if err != nil {
		return err
	}
	return r.assign(s, st.name, v)
}

func (r *Interpreter) bases(s *scope, c *Class, bases []argument) error {
	for _, b := range bases {
		v, err := r.eval(s, b.value)
		if err != nil {
			return err
		}
		if b.name != "" || b.spread > 0 {
			continue
		}
		switch v := v.(type) {
		case *Class:
			c.enum, c.mixed = c.enum || v.enum, c.mixed || v.mixed
			c.fields = append(c.fields, v.fields...)
			c.frozen = c.frozen || v.frozen
		case *Builtin:
			if v.Definer {
				return s.file.fail(b.value.pos(), "a class made from %s cannot be read; call %s(…) itself", v.Name, v.Name)
			}
			c.inherit(v.Name)
		}
		c.bases = append(c.bases, v)
	}
	return nil
}

// inherit takes over what a class of the standard library gives.
func (c *Class) inherit(name string) {
	switch name {
	case "Enum", "Flag":
		c.enum = true
	case "IntEnum", "StrEnum", "IntFlag":
		c.enum, c.mixed = true, true
	case "str", "int", "float":
		c.mixed = true
	case "NamedTuple":
		c.named = true
	}
}

// makeMembers turns the values of an enumeration into its members.
func (c *Class) makeMembers(body []stmt) {
	next := int64(1)
	for _, st := range body {
		a, ok := st.(*assignStmt)
		if !ok || len(a.targets) != 1 {
			continue
		}
		n, ok := a.targets[0].(*nameExpr)
		if !ok || strings.HasPrefix(n.name, "_") {
			continue
		}
		value := c.Members[n.name]
		if auto, ok := value.(*Builtin); ok && auto.Name == "auto" {
			value = any(next)
			if c.derivesFrom("StrEnum") {
				value = strings.ToLower(n.name)
			}
		}
		if i, ok := value.(int64); ok {
			next = i + 1
		}
		c.Members[n.name] = &Instance{Class: c, Members: map[string]any{"name": n.name, "value": value}}
		c.order = append(c.order, n.name)
	}
}

// derivesFrom reports whether a builtin of a name is among the bases.
func (c *Class) derivesFrom(name string) bool {
	return slices.ContainsFunc(c.bases, func(b any) bool {
		switch b := b.(type) {
		case *Builtin:
			return b.Name == name
		case *Class:
			return b.derivesFrom(name)
		}
		return false
	})
}

// makeFields turns the annotated names into fields.
func (c *Class) makeFields() {
	keyword := false
	for _, f := range c.annotated {
		if f.keyword {
			keyword = true
			continue
		}
		if f.class {
			continue
		}
		f.keyword = keyword
		if v, ok := c.Members[f.name]; ok {
			f.fallback, f.has = v, true
			if spec, ok := v.(*fieldSpec); ok {
				f.fallback, f.has, f.factory, f.hidden = spec.fallback, spec.has, spec.factory, spec.hidden
				delete(c.Members, f.name)
				if f.has {
					c.Members[f.name] = f.fallback
				}
			}
		}
		at := slices.IndexFunc(c.fields, func(o field) bool { return o.name == f.name })
		if at >= 0 {
			c.fields[at] = f
			continue
		}
		c.fields = append(c.fields, f)
	}
	if c.fields == nil {
		c.fields = []field{}
	}
}

// fieldSpec is what dataclasses.field gives.
type fieldSpec struct {
	fallback any
	has      bool
	factory  any
	hidden   bool
}

func (c *Class) member(name string) (any, bool) {
	if v, ok := c.Members[name]; ok {
		return v, true
	}
	for _, b := range c.bases {
		if b, ok := b.(*Class); ok {
			if v, ok := b.member(name); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// foreign is the base of which nothing is known; nil when there is none.
func (c *Class) foreign() *Unknown {
	for _, b := range c.bases {
		switch b := b.(type) {
		case *Unknown:
			return b
		case *Class:
			if u := b.foreign(); u != nil {
				return u
			}
		}
	}
	return nil
}

// derives reports whether a class is another or derives from it.
func (c *Class) derives(other *Class) bool {
	if c == other {
		return true
	}
	return slices.ContainsFunc(c.bases, func(b any) bool {
		base, ok := b.(*Class)
		return ok && base.derives(other)
	})
}

func (c *Class) isException() bool {
	return c.exception || slices.ContainsFunc(c.bases, func(b any) bool {
		base, ok := b.(*Class)
		return ok && base.isException()
	})
}

// members are what iterating over an enumeration gives.
func (c *Class) members() ([]any, bool) {
	if !c.enum {
		return nil, false
	}
	items := make([]any, 0, len(c.order))
	for _, n := range c.order {
		items = append(items, c.Members[n])
	}
	return items, true
}

// item is Class["member"]; a class with type parameters is the class.
func (c *Class) item(key any) (any, error) {
	if !c.enum {
		return c, nil
	}
	n, _ := asText(key)
	if slices.Contains(c.order, n) {
		return c.Members[n], nil
	}
	return nil, raise("KeyError", "%s has no member %s", c.Name, Repr(key))
}

func (r *Interpreter) classAttribute(c *Class, name string) (any, error) {
	if name == "__members__" && c.enum {
		d := &Dict{}
		for _, n := range c.order {
			if err := d.Put(n, c.Members[n]); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	v, ok := c.member(name)
	if !ok {
		if u := c.foreign(); u != nil {
			return u, nil
		}
		switch name {
		case "__qualname__", "__name__":
			return c.Name, nil
		case "_make", "_fields", "__subclasses__", "__mro__", "mro", "__annotations__", "__dataclass_fields__", "__dict__", "__module__":
			return &Unknown{Why: c.Name + "." + name}, nil
		}
		return nil, raise("AttributeError", "type object '%s' has no attribute '%s'", c.Name, name)
	}
	if d, ok := v.(*descriptor); ok && d.kind != "property" {
		if f, ok := d.fn.(*Function); ok && d.kind == "classmethod" {
			return f.on(c), nil
		}
		return d.fn, nil
	}
	return v, nil
}
