package python

import (
	"cmp"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/numbers"
)

// makeBuiltins creates the names that every module has.
func (r *Interpreter) makeBuiltins() map[string]any {
	names := r.exceptions()
	add := func(call func(name string) func(*Call) (any, error), list ...string) {
		for _, n := range list {
			names[n] = &Builtin{Name: n, Call: checked(n, call(n))}
		}
	}
	add(iterating, "len", "sorted", "reversed", "next", "range")
	add(converting, "str", "int", "float", "bool", "list", "tuple", "set", "frozenset", "dict", "bytes")
	add(reflecting, "getattr", "hasattr", "setattr", "delattr", "dir", "hash", "isinstance", "issubclass", "type", "callable", "repr", "ascii", "format")
	for _, n := range []string{"min", "max", "sum", "any", "all", "divmod", "pow", "iter", "enumerate", "map", "filter", "zip"} {
		names[n] = written("_builtins", n)
	}
	for _, kind := range []string{"property", "staticmethod", "classmethod"} {
		names[kind] = &Builtin{Name: kind, Call: func(c *Call) (any, error) {
			if kind == "property" {
				return property(c)
			}
			fn, err := c.one(kind)
			return &descriptor{kind: kind, fn: fn}, err
		}}
	}
	names["print"] = &Builtin{Name: "print", Call: func(*Call) (any, error) { return nil, nil }}
	names["NotImplemented"] = notImplemented{}
	names["__debug__"] = true
	for _, n := range []string{
		"open", "input", "id", "exit", "quit", "slice", "memoryview", "bytearray", "complex", "eval", "exec",
		"compile", "__import__", "breakpoint", "aiter", "anext", "help", "copyright", "credits", "license", "ExceptionGroup", "BaseExceptionGroup",
		"BlockingIOError", "BrokenPipeError", "ChildProcessError", "InterruptedError", "ProcessLookupError",
		"BufferError", "FloatingPointError", "ReferenceError", "StopAsyncIteration", "IndentationError", "TabError", "SystemError",
		"SyntaxWarning", "UnicodeTranslateError", "UnicodeWarning", "BytesWarning", "EncodingWarning", "__loader__", "__spec__", "__annotations__",
		"ConnectionAbortedError", "ConnectionRefusedError", "ConnectionResetError",
	} {
		if _, ok := names[n]; !ok {
			names[n] = &Unknown{Why: n}
		}
	}
	return names
}

// checked refuses a call with arguments that the function does not have.
func checked(name string, call func(*Call) (any, error)) func(*Call) (any, error) {
	const many = 1 << 30
	most, keywords := 1, ""
	switch name {
	case "sorted":
		keywords = "key reverse"
	case "dict":
		most = many
	case "str", "bytes":
		most, keywords = 3, "encoding errors"
	case "range", "getattr", "setattr", "type":
		most = 3
	case "next", "isinstance", "issubclass", "hasattr", "format":
		most = 2
	case "int":
		most, keywords = 2, "base"
	}
	return func(c *Call) (any, error) {
		if len(c.Args) > most {
			return nil, raise("TypeError", "%s expected at most %d arguments, got %d", name, most, len(c.Args))
		}
		for _, n := range c.Names {
			if !slices.Contains(strings.Fields(keywords), n) && name != "dict" {
				return nil, raise("TypeError", "%s() got an unexpected keyword argument '%s'", name, n)
			}
		}
		return call(c)
	}
}

func (c *Call) one(name string) (any, error) {
	if len(c.Args) == 0 {
		return nil, raise("TypeError", "%s() lacks its argument", name)
	}
	return c.Args[0], nil
}

// unknown finds an Unknown argument.
func (c *Call) unknown() *Unknown {
	return cmp.Or(anyUnknown(c.Args...), anyUnknown(c.Named...))
}

func converting(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		if name == "dict" {
			return makeDict(c)
		}
		u := c.unknown()
		switch name {
		case "list", "tuple", "set", "frozenset":
			if u != nil {
				return u, nil
			}
			return collected(name, c)
		}
		switch {
		case u != nil:
			return &Unknown{Why: u.but("%s() of %s", name, u.Why).Why, Trust: Harmless}, nil
		case name == "str" && len(c.Args)+len(c.Names) > 1:
			return &Unknown{Why: "str() of bytes"}, nil
		case len(c.Args) == 0:
			return emptyOf(name), nil
		}
		v := c.Args[0]
		switch name {
		case "str":
			return c.run.str(v)
		case "bool":
			return truthOf(v), nil
		case "bytes":
			if b, ok := v.(Bytes); ok {
				return b, nil
			}
			return &Unknown{Why: "bytes()"}, nil
		}
		return toNumber(name, c)
	}
}

// collected makes a list, tuple or set from items.
func collected(name string, c *Call) (any, error) {
	v := append(c.Args, Tuple{})[0]
	if name == "set" || name == "frozenset" {
		v = anyOrder(v)
	}
	items, err := c.run.items(v)
	if err != nil {
		return nil, err
	}
	switch name {
	case "list":
		return &List{Items: items}, nil
	case "tuple":
		return Tuple(items), nil
	}
	out, err := c.run.newSetOf(items)
	if s, ok := out.(*Set); ok {
		s.Frozen = name == "frozenset"
	}
	return out, err
}

// putPairs puts pairs of key and value into a dict; it returns the Unknown if one
// of them is not known.
func (r *Interpreter) putPairs(d *Dict, pairs any) (*Unknown, error) {
	items, err := r.items(pairs)
	if err != nil {
		return nil, err
	}
	for _, pair := range items {
		if u, ok := pair.(*Unknown); ok {
			return u, nil
		}
		kv, err := r.items(pair)
		if err != nil {
			return nil, err
		}
		if len(kv) != 2 {
			return nil, raise("ValueError", "dict() takes pairs of key and value")
		}
		if u, ok := kv[0].(*Unknown); ok {
			return u, nil
		}
		if err := d.Put(kv[0], kv[1]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// makeDict is dict(…), and evaluates the argument of dict.update.
func makeDict(c *Call) (any, error) {
	d := c.run.newDict()
	var err error
	if len(c.Args) > 0 {
		switch v := c.Args[0].(type) {
		case *Unknown:
			return v, nil
		case *Dict:
			if d, err = c.run.copyDict(v); err != nil {
				return nil, err
			}
			d.factory, d.kind = nil, ""
		case interface{ Dict() *Dict }:
			if d, err = c.run.copyDict(v.Dict()); err != nil {
				return nil, err
			}
		case *namespace:
			if d, err = c.run.dictOf(v.scope); err != nil {
				return nil, err
			}
		default:
			u, err := c.run.putPairs(d, v)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u, nil
			}
		}
	}
	for i, n := range c.Names {
		if err := d.Put(n, c.Named[i]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func toNumber(name string, c *Call) (any, error) {
	v := Plain(c.Args[0])
	if name == "float" {
		f, err := numbers.ToFloat(v)
		return f, numeric(err)
	}
	base, ok := c.take(1, "base")
	if !ok {
		base = nil
	}
	i, err := numbers.ToInt(v, base)
	return i, numeric(err)
}
