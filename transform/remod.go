package transform

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// match is a match of a regular expression.
type match struct {
	text  string
	at    []int // the bounds of the groups, -1 for one that has no part
	names []string
}

// group is the text of a group.
func (x *match) group(i int) val {
	if x.at[2*i] < 0 {
		return val{}
	}
	return textVal(x.text[x.at[2*i]:x.at[2*i+1]])
}

// number is the number of a group.
func (x *match) number(v val) (int, error) {
	if v.k == kText {
		for i, n := range x.names {
			if n == v.s && n != "" {
				return i, nil
			}
		}
	}
	if v.k != kInt || v.i < 0 || v.i >= int64(len(x.at)/2) {
		return 0, &failure{class: "IndexError", text: "no such group", data: true}
	}
	return int(v.i), nil
}

// find looks for a pattern in a text; nil if there is none.
func (p *pattern) find(s string) (*match, error) {
	if err := p.check(s); err != nil {
		return nil, err
	}
	at := p.re.FindStringSubmatchIndex(s)
	if at == nil {
		return nil, nil //nolint:nilnil // no match is no error
	}
	return &match{s, at, p.re.SubexpNames()}, nil
}

// all are all matches of a pattern that cannot be empty.
func (p *pattern) all(s string, limit int) ([][]int, error) {
	if p.empty {
		return nil, outside("this use of a regular expression that may match nothing is not supported")
	}
	if err := p.check(s); err != nil {
		return nil, err
	}
	return p.re.FindAllStringSubmatchIndex(s, limit), nil
}

// template is the replacement of sub: texts, and the numbers of groups.
type template struct {
	texts  []string
	groups []int // before each text but the first
}

// parseTemplate reads \\1 and \\g<1>.
func (p *pattern) parseTemplate(s string) (template, error) {
	out := template{texts: []string{""}}
	for s != "" {
		last := &out.texts[len(out.texts)-1]
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			*last += s
			break
		}
		*last += s[:i]
		s = s[i+1:]
		if s == "" {
			return out, outside("a backslash at the end of a replacement is not supported")
		}
		if plain := map[byte]string{'\\': "\\", 'n': "\n"}[s[0]]; plain != "" {
			*last, s = *last+plain, s[1:]
			continue
		}
		g, width, err := p.reference(s)
		if err != nil {
			return out, err
		}
		out.texts, out.groups, s = append(out.texts, ""), append(out.groups, g), s[width:]
	}
	return out, nil
}

// reference reads the number or name of a group after a backslash.
func (p *pattern) reference(s string) (group, width int, err error) {
	var name string
	end := strings.IndexByte(s, '>')
	switch {
	case s[0] >= '1' && s[0] <= '9' && (len(s) == 1 || s[1] < '0' || s[1] > '9'):
		name, width = s[:1], 1
	case strings.HasPrefix(s, "g<") && end > 2:
		name, width = s[2:end], end+1
	default:
		return 0, 0, outside("\\%s in a replacement is not supported", s[:1])
	}
	group, notNumber := strconv.Atoi(name)
	if notNumber != nil {
		group = p.re.SubexpIndex(name)
	}
	if group < 0 || group > p.re.NumSubexp() || name[0] == '+' {
		return 0, 0, &failure{class: "error", text: "invalid group reference " + name + " in a replacement"}
	}
	return group, width, nil
}

// sub replaces the matches of a pattern; limit is -1 for all.
func (p *pattern) sub(s string, with template, limit int) (string, error) {
	found, err := p.all(s, limit)
	if err != nil || len(found) == 0 {
		return s, err
	}
	var b strings.Builder
	end := 0
	for _, at := range found {
		b.WriteString(s[end:at[0]])
		b.WriteString(with.texts[0])
		for i, g := range with.groups {
			if at[2*g] >= 0 {
				b.WriteString(s[at[2*g]:at[2*g+1]])
			}
			b.WriteString(with.texts[i+1])
		}
		if end = at[1]; b.Len() > maxText {
			return "", tooMuch("the text is longer than %d bytes", maxText)
		}
	}
	b.WriteString(s[end:])
	return b.String(), nil
}

// reCall is a function of re, or a method of a compiled expression.
type reCall struct {
	m    *machine
	text string
	fold bool
}

// reFlags reads the flags of a call.
func reFlags(v val, given bool) (fold bool, err error) {
	n, ok := v.ref.(*native)
	switch {
	case !given || v.k == kInt && v.i == 0:
		return false, nil
	case ok && n.name == "re.IGNORECASE":
		return true, nil
	}
	return false, outside("flags of re other than re.IGNORECASE are not supported")
}

// reFunc is a function of re with a pattern, and n more arguments.
func reFunc(name string, n int, fn func(c reCall, a *args) (val, error)) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("re."+name+"()", n+1, "flags", "count", "maxsplit"); err != nil || len(a.pos) != n+1 {
			return val{}, orMissing(err, "re."+name+"()")
		}
		flags, given := a.get(-1, "flags")
		fold, err := reFlags(flags, given)
		if err != nil {
			return val{}, err
		}
		c := reCall{m, a.pos[0].s, fold}
		if compiled, ok := a.pos[0].ref.(*reCall); ok {
			c = *compiled
		} else if a.pos[0].k != kText {
			return val{}, typeError("first argument must be string or compiled pattern")
		}
		return fn(c, &args{pos: a.pos[1:], names: a.names, named: a.named})
	}
}

// reMethod is a method of a compiled expression.
func reMethod(name string, n int, fn func(c reCall, a *args) (val, error)) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name+"()", n, "count", "maxsplit"); err != nil || len(a.pos) != n {
			return val{}, orMissing(err, name+"()")
		}
		c := *v.ref.(*reCall)
		c.m = m
		return fn(c, a)
	}
}

// begin is the compiled pattern of a call, and the text that its argument i is.
func (c *reCall) begin(h how, a *args, i int) (*pattern, string, error) {
	v := a.pos[i]
	if v.k != kText {
		return nil, "", &failure{class: "TypeError", text: "expected string or bytes-like object, got '" + v.typeName() + "'", data: true}
	}
	p, err := c.m.pattern(c.text, h, c.fold)
	return p, v.s, err
}

// reFind is search, match or fullmatch.
func reFind(h how) func(c reCall, a *args) (val, error) {
	return func(c reCall, a *args) (val, error) {
		p, s, err := c.begin(h, a, 0)
		if err != nil {
			return val{}, err
		}
		x, err := p.find(s)
		if err != nil || x == nil {
			return val{}, err
		}
		return val{k: kMatch, ref: x}, nil
	}
}

// limitOf is the argument count or maxsplit; -1 for none.
func limitOf(a *args, name string) (int, error) {
	v, ok := a.get(-1, name)
	if !ok || v.k == kInt && v.i == 0 {
		return -1, nil
	}
	if v.k != kInt || v.i < 0 || v.i > maxText {
		return 0, outside("%s= of a %s is not supported", name, v.typeName())
	}
	return int(v.i), nil
}

func reSub(c reCall, a *args) (val, error) {
	p, s, err := c.begin(anywhere, a, 1)
	if err != nil {
		return val{}, err
	}
	if a.pos[0].k != kText {
		return val{}, outside("re.sub() with a %s as the replacement is not supported", a.pos[0].typeName())
	}
	with, err := p.parseTemplate(a.pos[0].s)
	if err != nil {
		return val{}, err
	}
	limit, err := limitOf(a, "count")
	if err != nil {
		return val{}, err
	}
	out, err := p.sub(s, with, limit)
	return textVal(out), err
}

func reFindall(c reCall, a *args) (val, error) {
	p, s, err := c.begin(anywhere, a, 0)
	if err != nil {
		return val{}, err
	}
	return c.m.findAll(p, s)
}

// findAll is the list of the matches, or of their groups if there are any.
func (m *machine) findAll(p *pattern, s string) (val, error) {
	found, err := p.all(s, -1)
	if err != nil {
		return val{}, err
	}
	out := m.take(len(found))
	for i, at := range found {
		x := match{text: s, at: at}
		var groups []val
		for g := min(1, p.re.NumSubexp()); g <= p.re.NumSubexp(); g++ {
			v := x.group(g)
			groups = append(groups, textVal(v.s)) // '' for a group without a part
		}
		if out[i] = groups[0]; len(groups) > 1 {
			out[i] = val{k: kTuple, ref: &list{groups}}
		}
	}
	return listVal(out), nil
}

func reSplit(c reCall, a *args) (val, error) {
	p, s, err := c.begin(anywhere, a, 0)
	if err != nil {
		return val{}, err
	}
	if p.re.NumSubexp() > 0 {
		return val{}, outside("re.split() with groups is not supported")
	}
	limit, err := limitOf(a, "maxsplit")
	if err != nil {
		return val{}, err
	}
	found, err := p.all(s, limit)
	if err != nil {
		return val{}, err
	}
	out, end := make([]val, 0, len(found)+1), 0
	for _, at := range found {
		out, end = append(out, textVal(s[end:at[0]])), at[1]
	}
	return listVal(append(out, textVal(s[end:]))), nil
}

// reCompile is re.compile().
func reCompile(m *machine, a *args) (val, error) {
	if err := a.known("re.compile()", 2, "flags"); err != nil || len(a.pos) == 0 || a.pos[0].k != kText {
		return val{}, orMissing(err, "re.compile()")
	}
	flags, given := a.get(1, "flags")
	fold, err := reFlags(flags, given)
	if err != nil {
		return val{}, err
	}
	_, err = m.pattern(a.pos[0].s, anywhere, fold)
	return val{k: kPattern, ref: &reCall{m, a.pos[0].s, fold}}, err
}

// matchGroup is group() of a match.
func matchGroup(_ *machine, v val, a *args) (val, error) {
	x := v.ref.(*match)
	if err := a.known("group()", 9); err != nil {
		return val{}, err
	}
	of := a.pos
	if len(of) == 0 {
		of = []val{intVal(0)}
	}
	out := make([]val, len(of))
	for i, n := range of {
		g, err := x.number(n)
		if err != nil {
			return val{}, err
		}
		out[i] = x.group(g)
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return val{k: kTuple, ref: &list{out}}, nil
}

func matchGroups(_ *machine, v val, a *args) (val, error) {
	x := v.ref.(*match)
	out := make([]val, len(x.at)/2-1)
	for i := range out {
		out[i] = x.group(i + 1)
	}
	return val{k: kTuple, ref: &list{out}}, a.known("groups()", 0)
}

// matchEnd is the method name, start or end, of a match, counted in characters.
func matchEnd(name string, end int) method {
	return func(_ *machine, v val, a *args) (val, error) {
		x := v.ref.(*match)
		return intVal(int64(utf8.RuneCountInString(x.text[:x.at[end]]))), a.known(name+"()", 0)
	}
}
