package python

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

// makeBuiltins are the names that every module has.
func (r *Interpreter) makeBuiltins() map[string]any {
	names := r.exceptions()
	add := func(call func(name string) func(*Call) (any, error), list ...string) {
		for _, n := range list {
			names[n] = &Builtin{Name: n, Call: checked(n, call(n))}
		}
	}
	add(iterating, "len", "zip", "enumerate", "sorted", "reversed", "map", "filter", "iter", "next", "range")
	add(converting, "str", "int", "float", "bool", "list", "tuple", "set", "frozenset", "dict", "bytes")
	add(reducing, "min", "max", "sum", "any", "all", "abs", "round", "divmod", "pow")
	add(reflecting, "getattr", "hasattr", "setattr", "delattr", "dir", "hash", "isinstance", "issubclass", "type", "callable", "repr", "ascii", "format", "ord", "chr", "hex", "bin", "oct")
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

// checked refuses a call with arguments that a function does not take.
func checked(name string, call func(*Call) (any, error)) func(*Call) (any, error) {
	const many = 1 << 30
	most, keywords := 1, ""
	switch name {
	case "enumerate":
		most, keywords = 2, "start iterable"
	case "sorted":
		keywords = "key reverse"
	case "sum":
		most, keywords = 2, "start"
	case "round":
		most, keywords = 2, "ndigits number"
	case "min", "max":
		most, keywords = many, "key default"
	case "zip":
		most, keywords = many, "strict"
	case "map", "dict", "str", "bytes":
		most = many
	case "range", "getattr", "setattr", "pow", "type":
		most, keywords = 3, "base exp mod"
	case "iter", "next", "isinstance", "issubclass", "hasattr", "divmod", "filter", "format":
		most = 2
	case "int":
		most, keywords = 2, "base"
	}
	return func(c *Call) (any, error) {
		if len(c.Args) > most {
			return nil, raise("TypeError", "%s expected at most %d arguments, got %d", name, most, len(c.Args))
		}
		for _, n := range c.Names {
			if !slices.Contains(strings.Fields(keywords), n) && most < many {
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

// unknown finds an argument that is Unknown.
func (c *Call) unknown() *Unknown {
	for _, list := range [][]any{c.Args, c.Named} {
		for _, v := range list {
			if u, ok := v.(*Unknown); ok {
				return u
			}
		}
	}
	return nil
}

func converting(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		if name == "dict" {
			return makeDict(c)
		}
		if u := c.unknown(); u != nil {
			switch name {
			case "str", "int", "float", "bool", "bytes":
				return &Unknown{Why: name + "() of " + u.Why, Trust: Harmless}, nil
			}
			return u, nil
		}
		if len(c.Args) == 0 {
			return emptyOf(name), nil
		}
		v := c.Args[0]
		switch name {
		case "str":
			if len(c.Args) > 1 {
				return &Unknown{Why: "str() of bytes"}, nil
			}
			return c.run.str(v)
		case "bool":
			yes, known := c.run.truth(v)
			if !known {
				return &Unknown{Why: "the truth of a " + TypeName(v)}, nil
			}
			return yes, nil
		case "int", "float":
			return toNumber(name, c)
		case "bytes":
			if b, ok := v.(Bytes); ok {
				return b, nil
			}
			return &Unknown{Why: "bytes()"}, nil
		}
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
		out, err := newSetOf(items)
		if s, ok := out.(*Set); ok {
			s.Frozen = name == "frozenset"
		}
		return out, err
	}
}

func emptyOf(name string) any {
	switch name {
	case "str":
		return ""
	case "int":
		return int64(0)
	case "float":
		return 0.0
	case "bool":
		return false
	case "bytes":
		return Bytes{}
	case "list":
		return &List{}
	case "tuple":
		return Tuple{}
	}
	return &Set{Frozen: name == "frozenset"}
}

// makeDict is dict(…), and what dict.update takes.
func makeDict(c *Call) (any, error) {
	d := &Dict{}
	if len(c.Args) > 0 {
		switch v := c.Args[0].(type) {
		case *Unknown:
			return v, nil
		case *Dict:
			d = v.Clone()
			d.factory, d.kind = nil, ""
		case interface{ Dict() *Dict }:
			d = v.Dict().Clone()
		case *namespace:
			var err error
			if d, err = v.scope.dict(); err != nil {
				return nil, err
			}
		default:
			items, err := c.run.items(v)
			if err != nil {
				return nil, err
			}
			for _, pair := range items {
				if u, ok := pair.(*Unknown); ok {
					return u, nil
				}
				kv, err := c.run.items(pair)
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
	base := int64(10)
	if b, ok := c.take(1, "base"); ok {
		base, _ = asInt(b)
		if _, isText := v.(string); !isText {
			return nil, raise("TypeError", "int() can't convert non-string with explicit base")
		}
	}
	if s, ok := v.(string); ok {
		return parseNumber(name, s, base)
	}
	if i, ok := asInt(v); ok && name == "int" {
		return i, nil
	}
	f, ok := asFloat(v)
	switch {
	case !ok:
		return nil, raise("TypeError", "%s() argument must be a string or a number, not '%s'", name, TypeName(v))
	case name == "float":
		return f, nil
	case math.IsInf(f, 0):
		return nil, raise("OverflowError", "cannot convert float infinity to integer")
	case math.IsNaN(f):
		return nil, raise("ValueError", "cannot convert float NaN to integer")
	case math.Abs(f) >= 1<<63:
		return nil, errBig()
	}
	return int64(f), nil
}

func parseNumber(name, s string, base int64) (any, error) {
	if strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return nil, fmt.Errorf("%s() of other digits than 0 to 9 is not read", name)
	}
	text := strings.TrimFunc(s, pytext.IsSpace)
	plain := strings.ReplaceAll(text, "_", "")
	invalid := strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__")
	if name == "int" {
		if prefix := map[int64]string{16: "0x", 8: "0o", 2: "0b"}[base]; prefix != "" {
			digits := strings.TrimLeft(plain, "+-")
			if rest, ok := strings.CutPrefix(strings.ToLower(digits), prefix); ok && rest != "" && rest[0] != '+' && rest[0] != '-' {
				plain = plain[:len(plain)-len(digits)] + rest
			}
		} else if base < 2 || base > 36 {
			return nil, fmt.Errorf("int() to base %d is not read", base)
		}
		i, err := strconv.ParseInt(plain, int(base), 64)
		if err != nil && strings.Contains(err.Error(), "range") {
			return nil, errBig()
		}
		if strings.ContainsRune(text, '_') && base != 10 {
			return nil, fmt.Errorf("int() of this text is not read; leave out its underscores")
		}
		if err != nil || invalid {
			return nil, raise("ValueError", "invalid literal for int() with base %d: %s", base, Repr(s))
		}
		return i, nil
	}
	if strings.ContainsRune(text, '_') {
		return nil, fmt.Errorf("float() of this text is not read; leave out its underscores")
	}
	if strings.EqualFold(strings.TrimLeft(text, "+-"), "nan") && len(text) < 5 {
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(plain, "xXpP") {
		return nil, raise("ValueError", "could not convert string to float: %s", Repr(s))
	}
	return f, nil
}

func reducing(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		switch name {
		case "abs", "round", "divmod", "pow":
			if u := c.unknown(); u != nil {
				return u, nil
			}
			return arithmetic(name, c)
		case "sum":
			return sum(c)
		}
		if u := c.unknown(); u != nil {
			return u, nil
		}
		if name == "min" || name == "max" {
			return extreme(name, c)
		}
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		found := name == "all"
		err = c.run.each(anyOrder(v), func(item any) (bool, error) {
			yes, err := c.asks(nil, item)
			found = yes
			return yes == (name == "all"), err
		})
		return found, err
	}
}

func sum(c *Call) (any, error) {
	v, err := c.one("sum")
	if err != nil {
		return nil, err
	}
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	v = anyOrder(v)
	total, ok := c.take(1, "start")
	if !ok {
		total = int64(0)
	}
	if _, isText := total.(string); isText {
		return nil, raise("TypeError", "sum() can't sum strings [use ''.join(seq) instead]")
	}
	err = c.run.each(v, func(item any) (bool, error) {
		total, err = c.run.binary("+", total, item)
		return true, err
	})
	return total, err
}

func extreme(name string, c *Call) (any, error) {
	var from any = Tuple(c.Args)
	if len(c.Args) == 1 {
		from = anyOrder(c.Args[0])
	}
	op := map[string]string{"min": "<", "max": ">"}[name]
	fn, _ := c.Arg("key")
	var best, key any
	found := false
	err := c.run.each(from, func(item any) (bool, error) {
		k, err := item, error(nil)
		if fn != nil {
			k, err = c.Invoke(fn, item)
		}
		if err != nil || !found {
			best, key, found = item, k, true
			return true, err
		}
		better, err := ordered(op, k, key)
		if u, ok := better.(*Unknown); ok {
			return false, fmt.Errorf("%s() of what cannot be known without running Python (%s)", name, u.Why)
		}
		if better == true {
			best, key = item, k
		}
		return true, err
	})
	if err != nil || found {
		return best, err
	}
	if v, ok := c.Arg("default"); ok {
		return v, nil
	}
	return nil, raise("ValueError", "%s() arg is an empty sequence", name)
}

// keysOf applies the key function of a call.
func keysOf(items []any, c *Call) ([]any, error) {
	fn, ok := c.Arg("key")
	if !ok || fn == nil {
		return items, nil
	}
	keys := make([]any, len(items))
	for i, v := range items {
		k, err := c.Invoke(fn, v)
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	return keys, nil
}

func arithmetic(name string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	switch name {
	case "divmod", "pow":
		if len(c.Args) == 3 && name == "pow" {
			return &Unknown{Why: name + "()"}, nil
		}
		if len(c.Args) != 2 {
			return nil, raise("TypeError", "%s() takes two numbers", name)
		}
		if name == "pow" {
			return c.run.binary("**", v, c.Args[1])
		}
		q, err := c.run.binary("//", v, c.Args[1])
		if err != nil {
			return nil, err
		}
		m, err := c.run.binary("%", v, c.Args[1])
		return Tuple{q, m}, err
	case "abs":
		if o, ok := v.(Signed); ok {
			return o.Unary(name), nil
		}
		if i, ok := asInt(v); ok {
			if i < 0 {
				return negated(i)
			}
			return i, nil
		}
		if f, ok := asFloat(v); ok {
			return math.Abs(f), nil
		}
		return nil, raise("TypeError", "bad operand type for abs(): '%s'", TypeName(v))
	}
	return rounded(v, c)
}

func rounded(v any, c *Call) (any, error) {
	digits, given := c.take(1, "ndigits")
	n, _ := asInt(digits)
	if i, ok := asInt(v); ok {
		if given && n < 0 {
			return roundedInt(i, -n)
		}
		return i, nil
	}
	f, ok := asFloat(v)
	if !ok {
		return nil, raise("TypeError", "type %s cannot be rounded", TypeName(v))
	}
	if !given || digits == nil {
		if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 1<<62 {
			return nil, errBig()
		}
		return int64(math.RoundToEven(f)), nil
	}
	if n < 0 || n > 300 {
		return nil, fmt.Errorf("round() of a float to %d digits is not read", n)
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(n), 64), 64)
	if err != nil {
		return nil, fmt.Errorf("this number cannot be rounded")
	}
	return out, nil
}

// roundedInt rounds to a multiple of a power of ten, half to even.
func roundedInt(i, zeros int64) (any, error) {
	if zeros > 17 {
		return nil, fmt.Errorf("round() to -%d digits is not read", zeros)
	}
	unit := int64(1)
	for range zeros {
		unit *= 10
	}
	down := i / unit * unit
	if i%unit < 0 {
		down -= unit
	}
	over := i - down
	if over*2 > unit || over*2 == unit && down/unit%2 != 0 {
		return integers("+", down, unit)
	}
	return down, nil
}
