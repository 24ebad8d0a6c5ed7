package python

import (
	"fmt"
	"slices"
	"strings"
)

// enumeration holds the additional data of an Enum class.
type enumeration struct {
	mixin     string   // str, int or float if the members are also such values
	plainText bool     // the text of a member is that of its value, as in StrEnum
	members   Dict     // by name, with aliases; values until the class is complete
	unread    *Unknown // a member value that is not known
}

// autoValue is the result of auto().
type autoValue struct{}

// checkSunder refuses the _names_ that Enum reserves, except those it calls.
func (e *enumeration) checkSunder(name string) error {
	switch name {
	case "_missing_":
		return nil
	case "_generate_next_value_":
		if e.members.Len() > 0 {
			return fmt.Errorf("%s after members is not read; write it before them", name)
		}
		return nil
	case "_order_", "_ignore_", "_numeric_repr_", "_iter_member_", "_iter_member_by_value_", "_iter_member_by_def_":
		return fmt.Errorf("%s of an enumeration is not read", name)
	}
	return raise("ValueError", "_sunder_ names, such as '%s', are reserved for future Enum use", name)
}

// enumName checks a name that the body of an enumeration binds.
func (r *Interpreter) enumName(c *Class, name string, v any) (any, error) {
	e := c.enum
	switch {
	case isDunder(name) || strings.HasPrefix(name, "_"+strings.TrimLeft(c.Name, "_")+"__"):
		return v, nil
	case len(name) > 2 && name[0] == '_' && name[len(name)-1] == '_':
		return v, e.checkSunder(name)
	case name == "name" || name == "value":
		if _, ok := v.(*descriptor); !ok {
			return nil, fmt.Errorf("a member of an enumeration that is called %s is not read", name)
		}
	case c.Members[name] != nil:
		return nil, raise("TypeError", "'%s' already defined as %s", name, Brief(c.Members[name]))
	}
	return r.enumValue(c, name, v)
}

// enumValue handles a name that the body of an enumeration binds: it is a member
// unless it is a method.
func (r *Interpreter) enumValue(c *Class, name string, v any) (any, error) {
	e := c.enum
	switch x := v.(type) {
	case *Function, *descriptor:
		return v, nil
	case *Class, *Builtin, *Module:
		return nil, fmt.Errorf("a %s as a member of an enumeration is not read", TypeName(v))
	case *Unknown:
		e.unread = x
		return v, nil
	case autoValue:
		next, err := r.nextValue(c, name)
		if err != nil {
			return nil, err
		}
		v = next
	case Tuple:
		if slices.ContainsFunc(x, func(item any) bool { return item == any(autoValue{}) }) {
			return nil, fmt.Errorf("auto() within a tuple is not read; write the number")
		}
	}
	return v, e.members.Put(name, v)
}

// nextValue is the value of auto().
func (r *Interpreter) nextValue(c *Class, name string) (any, error) {
	e, last := c.enum, NewList(c.enum.members.values...)
	if fn, ok := c.member("_generate_next_value_"); ok {
		if d, ok := fn.(*descriptor); ok {
			fn = d.fn
		}
		return r.invoke(fn, &Call{Args: []any{name, int64(1), int64(e.members.Len()), NewList(slices.Clone(last.Items)...)}})
	}
	return r.writtenCall("_enums", "next_value", e.mixin == "str" && e.plainText, name, last)
}

// makeMembers turns the values of an enumeration into its members.
func (r *Interpreter) makeMembers(c *Class) error {
	e := c.enum
	for i, n := range e.members.keys {
		if e.unread != nil {
			break
		}
		m, err := r.makeMember(c, Str(n), e.members.values[i])
		if err != nil {
			return err
		}
		if first := c.find(e.members.values[:i], m.get("_value_")); first != nil {
			m = first
		}
		c.Members[Str(n)], e.members.values[i] = m, m
	}
	return nil
}

func (r *Interpreter) makeMember(c *Class, name string, value any) (*Instance, error) {
	for _, b := range c.mro[1:] {
		if k, ok := b.(*Class); ok && k.Members[name] != nil {
			return nil, fmt.Errorf("a member of an enumeration that hides %s of its base is not read", name)
		}
	}
	if c.enum.mixin != "" && TypeName(value) != c.enum.mixin {
		if c.enum.mixin == "str" && c.enum.plainText {
			return nil, raise("TypeError", "%s is not a string", Brief(value))
		}
		return nil, fmt.Errorf("a %s as a member of an enumeration of %s is not read", TypeName(value), c.enum.mixin)
	}
	m := &Instance{Class: c}
	m.set("_value_", value)
	m.set("_name_", name)
	init, _ := c.member("__init__")
	if f, own := init.(*Function); own {
		args, isTuple := value.(Tuple)
		if !isTuple {
			args = Tuple{value}
		}
		if _, err := r.invoke(f.on(m), &Call{Args: args}); err != nil {
			return nil, err
		}
		if same, err := r.equal(m.get("_value_"), value); err != nil || !same {
			return nil, fmt.Errorf("an __init__ that sets _value_ of an enumeration is not read")
		}
	}
	return m, nil
}

// find returns the member with a value, or the member that is the value; nil if
// there is none.
func (c *Class) find(members []any, v any) *Instance {
	for _, m := range members {
		if o, ok := m.(*Instance); ok && (o == v || c.equal(o.get("_value_"), v)) {
			return o
		}
	}
	return nil
}

// has reports whether an enumeration has a member of this name.
func (e *enumeration) has(name string) bool {
	_, ok, _ := e.members.Get(name)
	return ok
}

// memberOf is Enum(value).
func (r *Interpreter) memberOf(c *Class, call *Call) (any, error) {
	if len(call.Args) != 1 || len(call.Names) > 0 || c.enum.members.Len() == 0 {
		return nil, fmt.Errorf("making an enumeration by a call is not read; write a class statement")
	}
	if u, ok := call.Args[0].(*Unknown); ok {
		return u, nil
	}
	if m := c.find(c.enum.members.values, call.Args[0]); m != nil {
		return m, nil
	}
	return r.writtenCall("_enums", "missing", c, call.Args[0])
}

// plain returns the text or number of a member of a mixed enumeration; nil for
// other objects.
func (o *Instance) plain() any {
	if o.Class.enum == nil || o.Class.enum.mixin == "" {
		return nil
	}
	return o.get("_value_")
}

// equal compares values of an enumeration.
func (c *Class) equal(a, b any) bool {
	same, err := c.run.equal(a, b)
	return err == nil && same
}
