package python

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// method finds a method of a value of the language.
func method(v any, name string) (any, bool) {
	var call func(c *Call) (any, error)
	switch v := v.(type) {
	case string:
		call = textMethod(v, name)
	case *List:
		call = listMethod(v, name)
	case *Dict:
		call = dictMethod(v, name)
	case *Set:
		call = setMethod(v, name)
	case Tuple:
		if name == "index" || name == "count" {
			call = listMethod(&List{v}, name)
		}
	case Timedelta:
		return deltaAttr(v, name)
	case Datetime:
		return timeAttr(v, name)
	case int64, float64, bool, Bytes, nil:
		return nil, false
	}
	if call == nil {
		return nil, false
	}
	return &Builtin{Name: name, Call: call}, true
}

func argText(c *Call, i int, fallback string) string {
	if i < len(c.Args) {
		return Str(c.Args[i])
	}
	return fallback
}

func textMethod(s, name string) func(*Call) (any, error) {
	plain := map[string]func() any{
		"lower": func() any { return strings.ToLower(s) }, "upper": func() any { return strings.ToUpper(s) },
		"title": func() any { return titled(s) }, "capitalize": func() any { return capitalized(s) },
		"isdigit":    func() any { return s != "" && strings.TrimFunc(s, unicode.IsDigit) == "" },
		"isalpha":    func() any { return s != "" && strings.TrimFunc(s, unicode.IsLetter) == "" },
		"splitlines": func() any { return texts(strings.Split(strings.TrimSuffix(s, "\n"), "\n")) },
		"casefold":   func() any { return strings.ToLower(s) },
	}
	if fn, ok := plain[name]; ok {
		return func(*Call) (any, error) { return fn(), nil }
	}
	switch name {
	case "strip", "lstrip", "rstrip":
		return func(c *Call) (any, error) { return stripped(name, s, argText(c, 0, " \t\n\r\f\v")), nil }
	case "startswith", "endswith":
		return func(c *Call) (any, error) { return affixed(name, s, c), nil }
	case "removeprefix":
		return func(c *Call) (any, error) { return strings.TrimPrefix(s, argText(c, 0, "")), nil }
	case "removesuffix":
		return func(c *Call) (any, error) { return strings.TrimSuffix(s, argText(c, 0, "")), nil }
	case "replace":
		return func(c *Call) (any, error) { return strings.ReplaceAll(s, argText(c, 0, ""), argText(c, 1, "")), nil }
	case "count":
		return func(c *Call) (any, error) { return int64(strings.Count(s, argText(c, 0, ""))), nil }
	case "find":
		return func(c *Call) (any, error) { return int64(strings.Index(s, argText(c, 0, ""))), nil }
	case "zfill":
		return func(c *Call) (any, error) {
			n, _ := asInt(append(c.Args, int64(0))[0])
			return strings.Repeat("0", int(min(max(n-int64(len(s)), 0), 1000))) + s, nil
		}
	case "split", "rsplit", "partition":
		return func(c *Call) (any, error) { return splitText(name, s, c), nil }
	case "join":
		return func(c *Call) (any, error) { return joinText(s, c) }
	case "format":
		return func(c *Call) (any, error) { return formatText(s, c) }
	case "encode", "translate":
		return func(*Call) (any, error) { return &Unknown{Why: "str." + name}, nil }
	}
	return nil
}

func titled(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = !unicode.IsLetter(r)
		if was {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func capitalized(s string) string {
	r := []rune(strings.ToLower(s))
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

func texts(parts []string) *List {
	l := &List{}
	for _, p := range parts {
		l.Items = append(l.Items, p)
	}
	return l
}

func stripped(name, s, cut string) string {
	if name != "rstrip" {
		s = strings.TrimLeft(s, cut)
	}
	if name != "lstrip" {
		s = strings.TrimRight(s, cut)
	}
	return s
}

func affixed(name, s string, c *Call) bool {
	var options []any
	if len(c.Args) > 0 {
		options = c.Args[:1]
		if t, ok := c.Args[0].(Tuple); ok {
			options = t
		}
	}
	return slices.ContainsFunc(options, func(o any) bool {
		if name == "startswith" {
			return strings.HasPrefix(s, Str(o))
		}
		return strings.HasSuffix(s, Str(o))
	})
}

func splitText(name, s string, c *Call) any {
	sep := argText(c, 0, "")
	if name == "partition" {
		before, after, found := strings.Cut(s, sep)
		if !found {
			sep = ""
		}
		return Tuple{before, sep, after}
	}
	if len(c.Args) == 0 || c.Args[0] == nil || sep == "" {
		return texts(strings.Fields(s))
	}
	n := int64(-1)
	if len(c.Args) > 1 {
		n, _ = asInt(c.Args[1])
	}
	if n < 0 {
		return texts(strings.Split(s, sep))
	}
	if name == "split" {
		return texts(strings.SplitN(s, sep, int(n)+1))
	}
	parts := strings.Split(s, sep)
	if keep := len(parts) - int(n); keep > 1 {
		parts = append([]string{strings.Join(parts[:keep], sep)}, parts[keep:]...)
	}
	return texts(parts)
}

func joinText(sep string, c *Call) (any, error) {
	items, unknown, err := c.iterable(0, "join")
	if err != nil || unknown != nil {
		return unknownOr(unknown), err
	}
	parts := make([]string, len(items))
	for i, v := range items {
		s, ok := v.(string)
		if !ok {
			if u, isUnknown := v.(*Unknown); isUnknown {
				return u, nil
			}
			return nil, fmt.Errorf("join() takes texts, not a %s", TypeName(v))
		}
		parts[i] = s
	}
	return strings.Join(parts, sep), nil
}

// formatText is str.format with plain fields: {}, {0}, {name}.
func formatText(s string, c *Call) (any, error) {
	var b strings.Builder
	next := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}") {
			b.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if s[0] == '}' || end < 0 {
			return nil, fmt.Errorf("a single brace in format()")
		}
		field, spec, _ := strings.Cut(s[1:end], ":")
		v, err := c.field(field, &next)
		if err != nil {
			return nil, err
		}
		text := Str(v)
		if spec != "" {
			if text, err = formatted(v, spec); err != nil {
				return nil, err
			}
		}
		b.WriteString(text)
		s = s[end+1:]
	}
	return b.String(), nil
}

func (c *Call) field(name string, next *int) (any, error) {
	if v, ok := c.Arg(name); ok {
		return v, nil
	}
	at := 0
	if name == "" {
		at = *next
		*next++
	} else if n, err := fmt.Sscanf(name, "%d", &at); n != 1 || err != nil {
		return nil, fmt.Errorf("format() has no field %q", name)
	}
	if at < 0 || at >= len(c.Args) {
		return nil, fmt.Errorf("format() has no field %d", at)
	}
	return c.Args[at], nil
}

func listMethod(l *List, name string) func(*Call) (any, error) {
	switch name {
	case "append":
		return func(c *Call) (any, error) {
			l.Items = append(l.Items, c.Args...)
			return nil, nil
		}
	case "extend":
		return func(c *Call) (any, error) {
			items, unknown, err := c.iterable(0, name)
			if unknown != nil {
				return nil, fmt.Errorf("a list cannot be extended by what is not known (%s)", unknown.Why)
			}
			l.Items = append(l.Items, items...)
			return nil, err
		}
	case "insert":
		return func(c *Call) (any, error) {
			if len(c.Args) != 2 {
				return nil, fmt.Errorf("insert() takes an index and an item")
			}
			i, _ := asInt(c.Args[0])
			l.Items = slices.Insert(l.Items, int(min(max(i, 0), int64(len(l.Items)))), c.Args[1])
			return nil, nil
		}
	case "copy":
		return func(*Call) (any, error) { return &List{slices.Clone(l.Items)}, nil }
	case "index", "count":
		return func(c *Call) (any, error) { return searched(l, name, c) }
	case "sort":
		return func(c *Call) (any, error) {
			v, err := sorted(c, l.Items)
			if s, ok := v.(*List); ok {
				l.Items = s.Items
			}
			return nil, err
		}
	case "pop":
		return func(*Call) (any, error) {
			if len(l.Items) == 0 {
				return nil, fmt.Errorf("pop from an empty list")
			}
			last := l.Items[len(l.Items)-1]
			l.Items = l.Items[:len(l.Items)-1]
			return last, nil
		}
	}
	return nil
}

func searched(l *List, name string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	n, first := int64(0), int64(-1)
	for i, e := range l.Items {
		if equal(e, v) {
			if n++; first < 0 {
				first = int64(i)
			}
		}
	}
	if name == "count" {
		return n, nil
	}
	if first < 0 {
		return nil, fmt.Errorf("%s is not in the list", Repr(v))
	}
	return first, nil
}

func dictMethod(d *Dict, name string) func(*Call) (any, error) {
	switch name {
	case "keys":
		return func(*Call) (any, error) { return &List{slices.Clone(d.Keys)}, nil }
	case "values":
		return func(*Call) (any, error) { return &List{slices.Clone(d.Values)}, nil }
	case "items":
		return func(*Call) (any, error) {
			l := &List{}
			for i := range d.Keys {
				l.Items = append(l.Items, Tuple{d.Keys[i], d.Values[i]})
			}
			return l, nil
		}
	case "copy":
		return func(*Call) (any, error) { return &Dict{slices.Clone(d.Keys), slices.Clone(d.Values)}, nil }
	case "update":
		return func(c *Call) (any, error) {
			v, err := makeDict(c)
			if more, ok := v.(*Dict); ok {
				for i := range more.Keys {
					d.Put(more.Keys[i], more.Values[i])
				}
			}
			return nil, err
		}
	case "get", "setdefault", "pop":
		return func(c *Call) (any, error) { return dictGet(d, name, c) }
	}
	return nil
}

func dictGet(d *Dict, name string, c *Call) (any, error) {
	key, err := c.one(name)
	if err != nil {
		return nil, err
	}
	v, ok := d.Get(key)
	if !ok && len(c.Args) > 1 {
		v = c.Args[1]
	}
	switch {
	case name == "setdefault" && !ok:
		d.Put(key, v)
	case name == "pop" && ok:
		i := slices.IndexFunc(d.Keys, func(k any) bool { return equal(k, key) })
		d.Keys, d.Values = slices.Delete(d.Keys, i, i+1), slices.Delete(d.Values, i, i+1)
	case name == "pop" && len(c.Args) < 2:
		return nil, fmt.Errorf("the dict has no key %s", Repr(key))
	}
	return v, nil
}

func setMethod(s *Set, name string) func(*Call) (any, error) {
	switch name {
	case "add":
		return func(c *Call) (any, error) {
			v, err := c.one(name)
			s.add(v)
			return nil, err
		}
	case "union", "update":
		return func(c *Call) (any, error) {
			out := &Set{slices.Clone(s.Items)}
			if name == "update" {
				out = s
			}
			for i := range c.Args {
				items, _, err := c.iterable(i, name)
				if err != nil {
					return nil, err
				}
				for _, v := range items {
					out.add(v)
				}
			}
			return out, nil
		}
	}
	return nil
}

func deltaAttr(d Timedelta, name string) (any, bool) {
	const day = 24 * time.Hour
	total := time.Duration(d)
	days := total / day
	if total%day < 0 {
		days--
	}
	switch name {
	case "days":
		return int64(days), true
	case "seconds":
		return int64((total - days*day) / time.Second), true
	case "microseconds":
		return int64((total - days*day) % time.Second / time.Microsecond), true
	case "total_seconds":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return total.Seconds(), nil }}, true
	}
	return nil, false
}

func timeAttr(t Datetime, name string) (any, bool) {
	switch name {
	case "year":
		return int64(t.Year()), true
	case "month":
		return int64(t.Month()), true
	case "day":
		return int64(t.Day()), true
	case "isoformat":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return t.Format("2006-01-02T15:04:05"), nil }}, true
	case "replace", "astimezone":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			_, zone := c.Arg("tzinfo")
			return Datetime{t.Time, t.Aware || zone || name == "astimezone"}, nil
		}}, true
	case "strftime", "timestamp", "date":
		return &Unknown{Why: "datetime." + name}, true
	}
	return nil, false
}
