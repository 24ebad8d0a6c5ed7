package python

import (
	"fmt"
	"slices"
)

func (r *Interpreter) bases(s *scope, c *Class, bases []argument, options *Call) error {
	for _, b := range bases {
		v, err := r.eval(s, b.value)
		if err != nil {
			return err
		}
		switch {
		case b.name == "metaclass":
			err = c.meta(v)
		case b.spread > 0:
			err = fmt.Errorf("bases and options of a class that are spread with * are not read; write them out")
		case b.name != "":
			err = options.name(b.name, v)
		default:
			err = c.base(v)
		}
		if err != nil {
			return s.locate(b.value.pos(), err)
		}
	}
	return c.linearize()
}

// meta handles a metaclass.
func (c *Class) meta(v any) error {
	switch v := v.(type) {
	case *Unknown:
		c.bases = append(c.bases, v)
		return nil
	case *Builtin:
		if v.Name == "ABCMeta" || v.Name == "type" {
			c.abc = c.abc || v.Name == "ABCMeta"
			return nil
		}
	}
	return fmt.Errorf("the metaclass of class %s is not read; write the class without it", c.Name)
}

// base inherits from a base.
func (c *Class) base(v any) error {
	switch v := v.(type) {
	case *Class:
		if v.enum != nil {
			if v.enum.members.Len() > 0 {
				return raise("TypeError", "<enum '%s'> cannot extend <enum '%s'>", c.Name, v.Name)
			}
			mixin := v.enum.mixin
			if c.enum != nil && mixin == "" {
				mixin = c.enum.mixin
			}
			c.enum = &enumeration{mixin: mixin, plainText: v.enum.plainText}
		}
		c.abc, c.typed = c.abc || v.abc, c.typed || v.typed
		if c.shape == nil {
			c.shape = v.shape
		}
	case *Builtin:
		if v.Definer {
			return fmt.Errorf("a class made from %s cannot be read; call %s(…) itself", v.Name, v.Name)
		}
		if err := c.inherit(v.Name); err != nil {
			return err
		}
	case *Unknown:
		if v.Trust == Untrusted {
			return fmt.Errorf("a class made from %s may make or change definitions; %s", v.Why, remedyOf(v))
		}
	default:
		return fmt.Errorf("a class made from a %s is not read", TypeName(v))
	}
	c.bases = append(c.bases, v)
	return nil
}

// inherit inherits from a class of the standard library.
func (c *Class) inherit(name string) error {
	switch name {
	case "Enum":
		if c.enum == nil {
			c.enum = &enumeration{}
		}
	case "IntEnum", "StrEnum":
		c.enum = &enumeration{mixin: map[string]string{"IntEnum": "int", "StrEnum": "str"}[name], plainText: true}
	case "str", "int", "float":
		c.enum = &enumeration{mixin: name} // unless Enum follows, linearize refuses it
	case "NamedTuple":
		c.shape = &Function{}
	case "TypedDict":
		c.typed = true
	case "Protocol":
		c.abc = true
	case "Generic":
	default:
		return fmt.Errorf("a class made from %s is not read; write it without this base", name)
	}
	return nil
}

// linearize computes the method resolution order.
func (c *Class) linearize() error {
	if c.enum != nil && c.foreign() == nil && !c.derivesFrom("Enum") {
		return fmt.Errorf("a class made from %s is not read; write it without this base", c.enum.mixin)
	}
	object, _ := c.run.builtins["object"].(*Class)
	lists := [][]any{}
	for _, b := range c.bases {
		if k, ok := b.(*Class); ok {
			lists = append(lists, slices.Clone(k.mro))
			continue
		}
		lists = append(lists, []any{b, object})
	}
	lists = append(lists, slices.Clone(c.bases), []any{object})
	c.mro = []any{c}
	for {
		lists = slices.DeleteFunc(lists, func(l []any) bool { return len(l) == 0 })
		if len(lists) == 0 {
			return nil
		}
		at := slices.IndexFunc(lists, func(l []any) bool {
			return !slices.ContainsFunc(lists, func(o []any) bool { return slices.Contains(o[1:], l[0]) })
		})
		if at < 0 {
			return raise("TypeError", "Cannot create a consistent method resolution order (MRO) for the bases of class %s", c.Name)
		}
		next := lists[at][0]
		c.mro = append(c.mro, next)
		for i, l := range lists {
			if l[0] == next {
				lists[i] = l[1:]
			}
		}
	}
}

// derivesDirectly reports whether the builtin of a name is a direct base.
func (c *Class) derivesDirectly(name string) bool {
	return slices.ContainsFunc(c.bases, func(b any) bool {
		k, ok := b.(*Builtin)
		return ok && k.Name == name
	})
}

// derivesFrom reports whether the builtin of a name is among all bases.
func (c *Class) derivesFrom(name string) bool {
	if c.derivesDirectly(name) || name == "tuple" && c.shape != nil || c.enum != nil && c.enum.mixin == name {
		return true
	}
	if name == "Enum" && (c.derivesDirectly("IntEnum") || c.derivesDirectly("StrEnum")) {
		return true
	}
	return slices.ContainsFunc(c.bases, func(b any) bool {
		k, ok := b.(*Class)
		return ok && k.derivesFrom(name)
	})
}
