package library

import (
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

func operatorModule() names {
	out := names{}
	for n, op := range map[string]string{
		"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "and_": "&", "or_": "|", "xor": "^",
		"lshift": "<<", "rshift": ">>", "concat": "+",
	} {
		out[n] = python.NewFunction(n, "a b", func(c *python.Call, a []any) (any, error) { return c.Binary(op, a[0], a[1]) })
	}
	for n, op := range map[string]string{"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "is_": "is", "is_not": "is not"} {
		out[n] = python.NewFunction(n, "a b", func(c *python.Call, a []any) (any, error) { return c.Compare(op, a[0], a[1]) })
	}
	for n, op := range map[string]string{"neg": "-", "pos": "+", "not_": "not", "invert": "~", "inv": "~"} {
		out[n] = python.NewFunction(n, "a", func(c *python.Call, a []any) (any, error) { return c.Unary(op, a[0]) })
	}
	out["contains"] = python.NewFunction("contains", "a b", func(c *python.Call, a []any) (any, error) { return c.Compare("in", a[1], a[0]) })
	out["getitem"] = python.NewFunction("getitem", "a b", func(c *python.Call, a []any) (any, error) { return c.Item(a[0], a[1]) })
	out["itemgetter"] = getter("itemgetter", func(c *python.Call, v, key any) (any, error) { return c.Item(v, key) })
	out["attrgetter"] = getter("attrgetter", func(c *python.Call, v, key any) (any, error) {
		path, ok := python.Text(key)
		if !ok {
			return nil, python.Raise("TypeError", "attribute name must be a string")
		}
		var err error
		for name := range strings.SplitSeq(path, ".") {
			if v, err = c.Attribute(v, name); err != nil {
				return nil, err
			}
		}
		return v, nil
	})
	out["methodcaller"] = &python.Builtin{Name: "methodcaller", Call: func(c *python.Call) (any, error) {
		if len(c.Args) == 0 {
			return nil, python.Raise("TypeError", "methodcaller() missing 1 required positional argument: 'name'")
		}
		name, err := text(c.Args[0])
		args, keys, named := c.Args[1:], c.Names, c.Named
		return python.NewFunction("methodcaller", "obj", func(c *python.Call, a []any) (any, error) {
			fn, err := c.Attribute(a[0], name)
			if err != nil {
				return nil, err
			}
			return c.Apply(fn, args, keys, named)
		}), err
	}}
	return out
}

// getter makes itemgetter and attrgetter.
func getter(name string, get func(c *python.Call, v, key any) (any, error)) *python.Builtin {
	return python.NewFunction(name, "*keys", func(_ *python.Call, a []any) (any, error) {
		keys, _ := a[0].(python.Tuple)
		if len(keys) == 0 {
			return nil, python.Raise("TypeError", "%s expected 1 argument, got 0", name)
		}
		return python.NewFunction(name, "obj", func(c *python.Call, a []any) (any, error) {
			var out python.Tuple
			for _, k := range keys {
				v, err := get(c, a[0], k)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			if len(out) == 1 {
				return out[0], nil
			}
			return out, nil
		}), nil
	})
}

// newTemplate is string.Template with substitute and safe_substitute.
func newTemplate(_ *python.Call, a []any) (any, error) {
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	members := names{"template": s}
	for _, name := range []string{"substitute", "safe_substitute"} {
		members[name] = &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) { return substituted(c, s, name == "safe_substitute") }}
	}
	return &object{[]string{"Template"}, members}, nil
}

// substituted is a text with its placeholders filled in.
func substituted(c *python.Call, s string, safe bool) (any, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "$")
		if b.WriteString(before); b.Len() > 1<<20 {
			return nil, fmt.Errorf("this text is too long")
		}
		if err := c.Charge(2); err != nil {
			return nil, err
		}
		if !found {
			return b.String(), nil
		}
		name, taken := placeholder(rest)
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			s = rest[1:]
			continue
		case name == "" && safe:
			b.WriteByte('$')
			s = rest
			continue
		case name == "":
			return nil, python.Raise("ValueError", "Invalid placeholder in string")
		}
		shown, ok, err := filling(c, name)
		_, unknown := shown.(*python.Unknown)
		switch {
		case err != nil:
			return nil, err
		case unknown:
			return shown, nil
		case ok:
			b.WriteString(python.Str(shown))
		case safe:
			b.WriteString("$" + rest[:taken])
		default:
			return nil, python.Raise("KeyError", "%s", name)
		}
		s = rest[taken:]
	}
}

// filling is the text for a placeholder: an argument of the call, or a value of
// the given dict.
func filling(c *python.Call, name string) (any, bool, error) {
	v, ok := c.Arg(name)
	if !ok && len(c.Args) > 0 {
		d, isDict := c.Args[0].(*python.Dict)
		if !isDict || len(c.Args) > 1 {
			return nil, false, fmt.Errorf("a Template is filled from one dict or names only")
		}
		var err error
		if v, ok, err = d.Get(name); err != nil {
			return nil, false, err
		}
	}
	if _, unknown := v.(*python.Unknown); !ok || unknown {
		return v, ok, nil
	}
	shown, err := c.Str(v)
	return shown, true, err
}

// placeholder parses name or {name} in ASCII, as a Template does.
func placeholder(s string) (name string, taken int) {
	inner, braced := strings.CutPrefix(s, "{")
	n := 0
	for n < len(inner) && (inner[n] == '_' || strings.IndexByte(letters, inner[n]|0x20) >= 0 && inner[n]|0x20 >= 'a' || n > 0 && inner[n] >= '0' && inner[n] <= '9') {
		n++
	}
	switch {
	case !braced:
		return inner[:n], n
	case n < len(inner) && inner[n] == '}':
		return inner[:n], n + 2
	}
	return "", 0
}
