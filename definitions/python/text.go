package python

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

func (c *Call) text(i int, fallback string) (string, error) {
	if i >= len(c.Args) || c.Args[i] == nil {
		return fallback, nil
	}
	s, ok := asText(c.Args[i])
	if !ok {
		return "", raise("TypeError", "want a text, not a %s", TypeName(c.Args[i]))
	}
	return s, nil
}

// textMethod finds a method of text; nil if there is none.
func textMethod(s, name string) func(*Call) (any, error) {
	if m, ok := pytext.Find(name); ok {
		return func(c *Call) (any, error) { return c.textMethod(m, s, name) }
	}
	switch name {
	case "join":
		return func(c *Call) (any, error) { return joinText(s, c) }
	case "format":
		return func(c *Call) (any, error) { return (&formatting{run: c.run, call: c}).text(s, 0) }
	case "format_map":
		return NewFunction(name, "mapping", func(c *Call, a []any) (any, error) {
			return (&formatting{run: c.run, call: c, mapping: a[0]}).text(s, 0)
		}).Call
	case "encode":
		return func(c *Call) (any, error) {
			enc, err := c.text(0, "utf-8")
			if e := strings.ToLower(strings.ReplaceAll(enc, "-", "")); err != nil || e != "utf8" {
				return &Unknown{Why: "str.encode"}, err
			}
			return Bytes(s), nil
		}
	}
	return nil
}

// textMethod calls a method of package pytext.
func (c *Call) textMethod(m pytext.Method, s, name string) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	if !m.Named && len(c.Names) > 0 {
		return nil, raise("TypeError", "str.%s() takes no keyword arguments", name)
	}
	args, err := c.fit(name, strings.Fields(m.Params))
	if err != nil {
		return nil, err
	}
	for i, v := range args {
		args[i] = textArgument(v)
	}
	out, err := known(m.Call(s, args))
	switch v := out.(type) {
	case []string:
		return texts(v), cmp.Or(c.run.charge(len(v)), c.run.meter.take(len(v)*itemSize))
	case [3]string:
		return Tuple{v[0], v[1], v[2]}, nil
	case string:
		return v, nil
	}
	return out, err
}

// textArgument converts a value to an argument of a text method.
func textArgument(v any) any {
	if v == nil {
		return nil
	}
	if s, ok := asText(v); ok {
		return s
	}
	if i, ok := asInt(v); ok {
		return i
	}
	t, ok := v.(Tuple)
	if !ok {
		return pytext.Other(TypeName(v))
	}
	var list []any
	for _, item := range t {
		if _, nested := item.(Tuple); nested { // which no method takes
			item = pytext.Other("tuple")
		} else {
			item = textArgument(item)
		}
		list = append(list, item)
	}
	return list
}

func texts(parts []string) *List {
	l := &List{Items: make([]any, len(parts))}
	for i, p := range parts {
		l.Items[i] = p
	}
	return l
}

func joinText(sep string, c *Call) (any, error) {
	v, err := c.one("join")
	if _, ok := v.(*Unknown); ok || err != nil {
		return v, err
	}
	items, err := c.run.items(v)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(items, func(v any) bool { _, ok := v.(*Unknown); return ok }); i >= 0 {
		return items[i], nil
	}
	parts := make([]string, len(items))
	size := 0
	for i, v := range items {
		s, ok := asText(v)
		if !ok {
			return nil, raise("TypeError", "sequence item %d: expected str instance, %s found", i, TypeName(v))
		}
		parts[i] = s
		if size += len(s) + len(sep); size > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	return strings.Join(parts, sep), c.run.charge(size / 64)
}
