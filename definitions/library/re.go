package library

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

func reModule() names {
	out := names{}
	for long, v := range map[string]int64{
		"IGNORECASE": flagIgnoreCase, "MULTILINE": flagMultiline, "DOTALL": flagDotAll, "VERBOSE": flagVerbose, "ASCII": flagASCII, "UNICODE": flagUnicode,
		"LOCALE": flagLocale,
	} {
		out[long] = v
	}
	for short, long := range map[string]string{"I": "IGNORECASE", "M": "MULTILINE", "S": "DOTALL", "X": "VERBOSE", "A": "ASCII", "U": "UNICODE", "L": "LOCALE"} {
		out[short] = out[long]
	}
	out["NOFLAG"] = int64(0)
	known := patterns{}
	out["compile"] = python.NewFunction("compile", "pattern flags?", func(c *python.Call, a []any) (any, error) { return known.compiled(c, a[0], a[1]) })
	out["escape"] = python.NewFunction("escape", "pattern", func(_ *python.Call, a []any) (any, error) {
		s, err := text(a[0])
		var b strings.Builder
		for _, r := range s {
			if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		return b.String(), err
	})
	for name, signature := range map[string]string{
		"match": "string", "search": "string", "fullmatch": "string", "findall": "string", "finditer": "string", "sub": "repl string count?", "subn": "repl string count?",
		"split": "string maxsplit?",
	} {
		out[name] = python.NewFunction(name, "pattern "+signature+" flags?", func(c *python.Call, a []any) (any, error) {
			p, err := known.compiled(c, a[0], a[len(a)-1])
			if err != nil {
				return nil, err
			}
			return p.apply(c, name, a[1:len(a)-1])
		})
	}
	return out
}

// patterns are compiled patterns, by their text and flags.
type patterns map[patternKey]*pattern

type patternKey struct {
	source string
	flags  int64
}

// maxPatterns bounds the patterns that are kept.
const maxPatterns = 100

// compiled returns the pattern of a text, or a compiled pattern unchanged.
func (known patterns) compiled(c *python.Call, v, flags any) (*pattern, error) {
	n, ok := python.Int(flags)
	if flags == nil {
		ok = true
	}
	if p, already := v.(*pattern); already && n == 0 {
		return p, nil
	}
	s, isText := python.Text(v)
	if !isText || !ok {
		return nil, fmt.Errorf("patterns are text; a %s is not read", python.TypeName(v))
	}
	if p, again := known[patternKey{s, n}]; again {
		return p, nil
	}
	if err := c.Charge(len(s)); err != nil {
		return nil, err
	}
	p, err := newPattern(s, n)
	if err != nil {
		return nil, err
	}
	if len(known) < maxPatterns {
		known[patternKey{s, n}] = p
	}
	return p, c.Charge(p.size * 4)
}

// Kinds lists the types of a compiled pattern.
func (*pattern) Kinds() []string { return []string{"Pattern"} }

// Attr returns the methods of a compiled pattern.
func (p *pattern) Attr(name string) (any, bool) {
	signature := "string"
	switch name {
	case "pattern":
		return p.source, true
	case "groups":
		return int64(p.search.NumSubexp()), true
	case "sub", "subn":
		signature = "repl string count?"
	case "split":
		signature = "string maxsplit?"
	case "match", "search", "fullmatch", "findall", "finditer":
	default:
		return nil, false
	}
	return python.NewFunction(name, signature, func(c *python.Call, a []any) (any, error) { return p.apply(c, name, a) }), true
}

// maxMatched bounds the work of one match: the bytes of the text times the
// instructions of the pattern.
const maxMatched = 20_000_000

// apply applies one of the functions of re to a text.
func (p *pattern) apply(c *python.Call, name string, a []any) (any, error) {
	subject := a[0]
	if strings.HasPrefix(name, "sub") {
		subject = a[1]
	}
	s, ok := python.Text(subject)
	if !ok {
		return nil, python.Raise("TypeError", "expected string or bytes-like object, got '%s'", python.TypeName(subject))
	}
	if work := len(s) * p.size; work > maxMatched {
		return nil, fmt.Errorf("%s() of this pattern on %d bytes is too much work; match less text, or by a shorter pattern", name, len(s))
	} else if err := c.Charge(len(s)/8 + work/16); err != nil {
		return nil, err
	}
	if err := p.check(s); err != nil {
		return nil, err
	}
	form := map[string]*regexp.Regexp{"match": p.match, "fullmatch": p.whole, "search": p.search}[name]
	if form != nil {
		if at := form.FindStringSubmatchIndex(s); at != nil {
			return &found{p, s, at}, nil
		}
		return nil, nil
	}
	if p.empty {
		return nil, fmt.Errorf("%s() of the pattern %q is not read: it may match no characters", name, p.source)
	}
	all := p.search.FindAllStringSubmatchIndex(s, -1)
	if err := c.Charge(len(all)); err != nil {
		return nil, err
	}
	switch name {
	case "findall", "finditer":
		return p.list(name, s, all), nil
	case "split":
		return p.split(s, limited(all, a[1])), nil
	}
	all = limited(all, a[2])
	out, err := p.substitute(c, a[0], s, all)
	if u, unknown := out.(*python.Unknown); name == "sub" || err != nil || unknown {
		return cond(unknown, any(u), out), err
	}
	return python.Tuple{out, int64(len(all))}, nil
}

func cond(yes bool, a, b any) any {
	if yes {
		return a
	}
	return b
}

// limited returns the first n matches; 0 means all.
func limited(all [][]int, n any) [][]int {
	if i, ok := python.Int(n); ok && i != 0 {
		return all[:min(max(i, 0), int64(len(all)))]
	}
	return all
}

func (p *pattern) list(name, s string, all [][]int) any {
	items := make([]any, len(all))
	for i, at := range all {
		m := &found{p, s, at}
		switch groups := m.groups(""); {
		case name == "finditer":
			items[i] = m
		case len(groups) == 0:
			items[i] = m.group(0, nil)
		case len(groups) == 1:
			items[i] = groups[0]
		default:
			items[i] = groups
		}
	}
	if name == "finditer" {
		return python.NewIterator(items)
	}
	return python.NewList(items...)
}

func (p *pattern) split(s string, all [][]int) any {
	l := &python.List{}
	from := 0
	for _, at := range all {
		l.Items = append(l.Items, s[from:at[0]])
		l.Items = append(l.Items, (&found{p, s, at}).groups(nil)...)
		from = at[1]
	}
	l.Items = append(l.Items, s[from:])
	return l
}

func (p *pattern) substitute(c *python.Call, by any, s string, all [][]int) (any, error) {
	var b strings.Builder
	from := 0
	template, isText := python.Text(by)
	for _, at := range all {
		m := &found{p, s, at}
		b.WriteString(s[from:at[0]])
		from = at[1]
		if isText {
			if err := m.expand(&b, template); err != nil {
				return nil, err
			}
			continue
		}
		v, err := c.Invoke(by, m)
		if u, unknown := v.(*python.Unknown); unknown || err != nil {
			return u, err
		}
		piece, err := text(v)
		if err != nil {
			return nil, err
		}
		if b.WriteString(piece); b.Len() > 1<<20 {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	b.WriteString(s[from:])
	return b.String(), nil
}

// found is a match.
type found struct {
	p  *pattern
	s  string
	at []int
}

// Kinds lists the types of a match.
func (*found) Kinds() []string { return []string{"Match"} }

// group returns a group; other if the group did not participate.
func (m *found) group(i int, other any) any {
	if m.at[2*i] < 0 {
		return other
	}
	return m.s[m.at[2*i]:m.at[2*i+1]]
}

func (m *found) groups(other any) python.Tuple {
	t := python.Tuple{}
	for i := 1; i < len(m.at)/2; i++ {
		t = append(t, m.group(i, other))
	}
	return t
}

// number finds a group by its number or name.
func (m *found) number(v any) (int, error) {
	i, ok := python.Int(v)
	if name, isText := v.(string); isText {
		i = int64(m.p.search.SubexpIndex(name))
		ok = name != ""
	}
	if !ok || i < 0 || int(i) >= len(m.at)/2 {
		return 0, python.Raise("IndexError", "no such group")
	}
	return int(i), nil
}

// Index is match[group].
func (m *found) Index(key any) (any, error) {
	i, err := m.number(key)
	if err != nil {
		return nil, err
	}
	return m.group(i, nil), nil
}

// Attr returns the methods of a match.
func (m *found) Attr(name string) (any, bool) {
	switch name {
	case "string":
		return m.s, true
	case "re":
		return m.p, true
	case "group":
		return python.NewFunction(name, "*groups", func(_ *python.Call, a []any) (any, error) {
			var out python.Tuple
			keys, _ := a[0].(python.Tuple)
			if len(keys) == 0 {
				keys = python.Tuple{int64(0)}
			}
			for _, k := range keys {
				v, err := m.Index(k)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			return cond(len(out) == 1, out[0], out), nil
		}), true
	case "groups":
		return python.NewFunction(name, "default?", func(_ *python.Call, a []any) (any, error) { return m.groups(a[0]), nil }), true
	case "groupdict":
		return python.NewFunction(name, "default?", func(_ *python.Call, a []any) (any, error) {
			d := &python.Dict{}
			for i, n := range m.p.search.SubexpNames() {
				if n != "" {
					if err := d.Put(n, m.group(i, a[0])); err != nil {
						return nil, err
					}
				}
			}
			return d, nil
		}), true
	case "span", "start", "end":
		return python.NewFunction(name, "group?", func(_ *python.Call, a []any) (any, error) {
			if a[0] == nil {
				a[0] = int64(0)
			}
			i, err := m.number(a[0])
			from, to := m.position(2*i), m.position(2*i+1)
			return map[string]any{"span": python.Tuple{from, to}, "start": from, "end": to}[name], err
		}), true
	}
	return nil, false
}

// position converts a byte offset to a character index.
func (m *found) position(i int) int64 {
	if m.at[i] < 0 {
		return -1
	}
	return int64(len([]rune(m.s[:m.at[i]])))
}

// expand expands a template: \1, \g<1>, \g<name> and escapes.
func (m *found) expand(b *strings.Builder, template string) error {
	for {
		before, rest, escaped := strings.Cut(template, `\`)
		if b.WriteString(before); b.Len() > 1<<20 {
			return fmt.Errorf("this text is too long")
		}
		if !escaped {
			return nil
		}
		var group, after string
		switch {
		case strings.HasPrefix(rest, "g<"):
			group, after, _ = strings.Cut(rest[2:], ">")
		case rest != "" && rest[0] >= '1' && rest[0] <= '9':
			group, after = rest[:1], rest[1:]
			if after != "" && after[0] >= '0' && after[0] <= '9' {
				return fmt.Errorf("a replacement with \\%s is not read; write \\g<%s>", rest[:2], rest[:1])
			}
		case rest != "" && strings.IndexByte(`\ntr`, rest[0]) >= 0:
			b.WriteByte("\\\n\t\r"[strings.IndexByte(`\ntr`, rest[0])])
			template = rest[1:]
			continue
		default:
			return fmt.Errorf("a replacement with this escape is not read: %s", python.Brief(template))
		}
		i, ok := m.called(group)
		if !ok {
			return fmt.Errorf("a replacement names a group that the pattern does not have: %s", python.Brief(template))
		}
		b.WriteString(python.Str(m.group(i, "")))
		template = after
	}
}

// called finds the group that a template names by number or name.
func (m *found) called(group string) (int, bool) {
	i, err := strconv.Atoi(group)
	if err != nil {
		i = m.p.search.SubexpIndex(group) // -1 for an unknown name
	}
	return i, i >= 0 && i < len(m.at)/2
}
