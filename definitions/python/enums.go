package python

import (
	"fmt"
	"slices"
	"strings"
)

// enumeration is what a class made from Enum has besides.
type enumeration struct {
	mixin     string // str, int or float when the members are such values too
	plainText bool   // the text of a member is its value's, as of StrEnum
	order     []string
	names     []string // with aliases
	last      []any    // the values till now
	unread    *Unknown // a value that is not known
}

// autoValue is what auto() gives.
type autoValue struct{}

// enumName looks at what the body of an enumeration binds.
func (r *Interpreter) enumName(c *Class, name string, v any) (any, error) {
	e := c.enum
	switch {
	case isDunder(name) || strings.HasPrefix(name, "_"+strings.TrimLeft(c.Name, "_")+"__"):
		return v, nil
	case len(name) > 2 && name[0] == '_' && name[len(name)-1] == '_':
		switch name {
		case "_generate_next_value_", "_missing_":
			if name != "_missing_" && len(e.names) > 0 {
				return nil, fmt.Errorf("%s after members is not read; write it before them", name)
			}
			return v, nil
		case "_order_", "_ignore_", "_numeric_repr_", "_iter_member_", "_iter_member_by_value_", "_iter_member_by_def_":
			return nil, fmt.Errorf("%s of an enumeration is not read", name)
		}
		return nil, raise("ValueError", "_sunder_ names, such as '%s', are reserved for future Enum use", name)
	case name == "name" || name == "value":
		if _, ok := v.(*descriptor); !ok {
			return nil, fmt.Errorf("a member of an enumeration that is called %s is not read", name)
		}
	case c.Members[name] != nil:
		return nil, raise("TypeError", "'%s' already defined as %s", name, Repr(c.Members[name]))
	}
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
	e.names, e.last = append(e.names, name), append(e.last, v)
	return v, nil
}

// nextValue is what auto() stands for.
func (r *Interpreter) nextValue(c *Class, name string) (any, error) {
	if fn, ok := c.member("_generate_next_value_"); ok {
		if d, ok := fn.(*descriptor); ok {
			fn = d.fn
		}
		return r.invoke(fn, &Call{Args: []any{name, int64(1), int64(len(c.enum.names)), NewList(slices.Clone(c.enum.last)...)}})
	}
	if c.enum.mixin == "str" && c.enum.plainText {
		return strings.ToLower(name), nil
	}
	top, texts := int64(0), 0
	for i, v := range c.enum.last {
		n, isInt := v.(int64)
		if _, isText := v.(string); isText {
			texts++
		} else if !isInt {
			return nil, fmt.Errorf("auto() after a %s is not read; write the value", TypeName(v))
		}
		if i == 0 || n > top {
			top = n
		}
	}
	if texts > 0 && texts < len(c.enum.last) {
		return nil, fmt.Errorf("auto() after texts and numbers is not read; write the value")
	}
	return top + 1, nil
}

// makeMembers turns the values of an enumeration into its members.
func (r *Interpreter) makeMembers(c *Class) error {
	if c.enum.unread != nil {
		return nil
	}
	for _, n := range c.enum.names {
		for _, b := range c.mro[1:] {
			if k, ok := b.(*Class); ok && k.Members[n] != nil {
				return fmt.Errorf("a member of an enumeration that hides %s of its base is not read", n)
			}
		}
		m, err := r.makeMember(c, n, c.Members[n])
		if err != nil {
			return err
		}
		at := slices.IndexFunc(c.enum.order, func(o string) bool {
			first, _ := c.Members[o].(*Instance)
			return equal(first.get("_value_"), m.get("_value_"))
		})
		if at >= 0 {
			c.Members[n] = c.Members[c.enum.order[at]]
			continue
		}
		c.Members[n] = m
		c.enum.order = append(c.enum.order, n)
	}
	return nil
}

func (r *Interpreter) makeMember(c *Class, name string, value any) (*Instance, error) {
	if c.enum.mixin != "" && TypeName(value) != c.enum.mixin {
		if c.enum.mixin == "str" && c.enum.plainText {
			return nil, raise("TypeError", "%s is not a string", Repr(value))
		}
		return nil, fmt.Errorf("a %s as a member of an enumeration of %s is not read", TypeName(value), c.enum.mixin)
	}
	m := &Instance{Class: c}
	m.set("_value_", value)
	m.set("_name_", name)
	init, ok := c.member("__init__")
	if f, own := init.(*Function); ok && own {
		args, isTuple := value.(Tuple)
		if !isTuple {
			args = Tuple{value}
		}
		if _, err := r.invoke(f.on(m), &Call{Args: args}); err != nil {
			return nil, err
		}
		if !equal(m.get("_value_"), value) {
			return nil, fmt.Errorf("an __init__ that sets _value_ of an enumeration is not read")
		}
	}
	return m, nil
}

// memberDict is __members__.
func (c *Class) memberDict() (any, error) {
	d := &Dict{ReadOnly: "the members of an enumeration are not changed"}
	for _, n := range c.enum.names {
		if err := d.Put(n, c.Members[n]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// memberOf is Enum(value).
func (r *Interpreter) memberOf(c *Class, call *Call) (any, error) {
	if len(call.Args) != 1 || len(call.Names) > 0 || len(c.enum.order) == 0 {
		return nil, fmt.Errorf("making an enumeration by a call is not read; write a class statement")
	}
	v := call.Args[0]
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	for _, n := range c.enum.order {
		m, _ := c.Members[n].(*Instance)
		if m == v || equal(m.get("_value_"), v) {
			return m, nil
		}
	}
	if hook, ok := c.member("_missing_"); ok {
		fn, err := r.bound(hook, nil, c)
		if err != nil {
			return nil, err
		}
		found, err := r.invoke(fn, &Call{Args: []any{v}})
		if err != nil {
			return nil, err
		}
		if m, ok := found.(*Instance); ok && m.Class == c {
			return m, nil
		}
		if found != nil {
			return nil, raise("TypeError", "error in %s._missing_: returned %s instead of None or a valid member", c.Name, Repr(found))
		}
	}
	return nil, raise("ValueError", "%s is not a valid %s", Repr(v), c.qual)
}

// unique is enum.unique.
func unique(c *Call) (any, error) {
	v, err := c.one("unique")
	k, ok := v.(*Class)
	if err != nil || !ok || k.enum == nil {
		return v, err
	}
	for _, n := range k.enum.names {
		if m, _ := k.Members[n].(*Instance); m != nil && m.get("_name_") != n {
			return nil, raise("ValueError", "duplicate values found in <enum '%s'>: %s -> %s", k.Name, n, Str(m.get("_name_")))
		}
	}
	return k, nil
}

// plain is the text or number that a member of a mixed enumeration is; nil for
// other objects.
func (o *Instance) plain() any {
	if o.Class.enum == nil || o.Class.enum.mixin == "" {
		return nil
	}
	return o.get("_value_")
}
