package transform

import (
	"math"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

// eachText applies a function to the texts of a column. Nulls stay, and other
// values become NaN, as in pandas.
func (m *machine) eachText(c *column, empty dtype, fn func(s string) (val, error)) (val, error) {
	return m.eachOf(c, empty, false, fn)
}

// eachOf is eachText, which also counts the items of lists if lengths is set.
func (m *machine) eachOf(c *column, empty dtype, lengths bool, fn func(s string) (val, error)) (val, error) {
	if c.n == 0 {
		return colVal(m.mem.column(empty, 0)), nil
	}
	if !allNull(c) {
		if s := look(c.objs); s.others == 0 && s.bools+s.ints+s.floats+s.times > 0 {
			return val{}, &failure{class: "AttributeError", text: "Can only use .str accessor with string values", data: true}
		}
	}
	out := m.mem.column(dObject, c.n)
	for i, x := range c.objs {
		switch {
		case x.null():
			out.objs[i] = x
		case x.k == kList || x.k == kTuple || x.k == kOpaque:
			n, ok := lengthOf(x)
			if !ok || !lengths {
				return val{}, outside("a method of .str that works on a %s is not supported", x.typeName())
			}
			out.objs[i] = intVal(int64(n))
		case x.k != kText:
			out.objs[i] = floatVal(math.NaN())
		default:
			v, err := fn(x.s)
			if err != nil {
				return val{}, err
			}
			if err := m.grow(v); err != nil {
				return val{}, err
			}
			out.objs[i] = v
		}
	}
	conv, err := m.soft(out)
	return colVal(conv), err
}

// text2Method is a method of .str that is one of Python's str.
func text2Method(name string) method {
	how, ok := pytext.Find(name)
	if !ok {
		return nil
	}
	empty := dObject
	switch {
	case name[:2] == "is":
		empty = dBool
	case name == "find":
		empty = dInt64
	}
	return func(m *machine, v val, a *args) (val, error) {
		return m.eachText(v.col(), empty, func(s string) (val, error) { return pythonText(name, how, s, a) })
	}
}

func text2Len(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.len()", 0); err != nil {
		return val{}, err
	}
	return m.eachOf(v.col(), dInt64, true, func(s string) (val, error) { return intVal(int64(len([]rune(s)))), nil })
}

// lengthOf is the number of items of a list or array.
func lengthOf(v val) (int, bool) {
	switch r := v.ref.(type) {
	case *list:
		return len(r.items), true
	case *ndarray:
		return len(r.items), true
	}
	return 0, false
}

// literal refuses a pattern that is more than its own text.
func literal(fn, pattern string) error {
	if strings.ContainsAny(pattern, `.^$*+?{}[]\|()`) {
		return outside("%s with a regular expression is not supported; use regex=False or other methods", fn)
	}
	return nil
}

func flagOf(a *args, name string, fallback bool) (bool, error) {
	v, ok := a.get(-1, name)
	if !ok {
		return fallback, nil
	}
	if v.k != kBool {
		return false, outside("%s= other than True and False is not supported", name)
	}
	return v.i != 0, nil
}

func text2Contains(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.contains()", 1, "pat", "case", "na", "regex"); err != nil {
		return val{}, err
	}
	pat, ok := a.get(0, "pat")
	if !ok || pat.k != kText {
		return val{}, outside("str.contains() needs a text")
	}
	regex, err := flagOf(a, "regex", true)
	if err != nil {
		return val{}, err
	}
	cased, err := flagOf(a, "case", true)
	if err != nil {
		return val{}, err
	}
	words := []string{pat.s}
	if regex {
		words = strings.Split(pat.s, "|") // the one use of regular expressions that needs none
		if literal("str.contains()", strings.ReplaceAll(pat.s, "|", "")) != nil {
			p, err := m.columnPattern("str.contains()", a, anywhere)
			if err != nil {
				return val{}, err
			}
			return m.matches(v, a, p)
		}
	}
	for i := range words {
		if !cased {
			words[i] = strings.ToLower(words[i])
		}
	}
	out, err := m.eachText(v.col(), dBool, func(s string) (val, error) {
		if !cased {
			if !ascii(s) || !ascii(pat.s) {
				return val{}, outside("str.contains(case=False) of other than ASCII is not supported; use .str.lower()")
			}
			return boolVal(containsAny(strings.ToLower(s), words)), nil
		}
		return boolVal(containsAny(s, words)), nil
	})
	if err != nil {
		return val{}, err
	}
	return m.withNA(out, v.col(), a)
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// withNA puts the argument na where the column has nulls.
func (m *machine) withNA(out val, c *column, a *args) (val, error) {
	na, ok := a.get(-1, "na")
	if !ok || na.null() {
		return out, nil
	}
	if na.k != kBool {
		return val{}, outside("na= other than True and False is not supported")
	}
	o := m.objects(out.col())
	for i := range c.n {
		if c.objs[i].k != kText {
			o.objs[i] = na
		}
	}
	if o.n == 0 {
		return out, nil
	}
	conv, err := m.soft(o)
	return colVal(conv), err
}

// text2Affix is startswith or endswith.
func text2Affix(name string) method {
	how, _ := pytext.Find(name)
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known("str."+name+"()", 1, "na"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "str."+name+"()")
		}
		out, err := m.eachText(v.col(), dBool, func(s string) (val, error) { return pythonText(name, how, s, &args{pos: a.pos}) })
		if err != nil {
			return val{}, err
		}
		return m.withNA(out, v.col(), a)
	}
}

func text2Replace(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.replace()", 2, "pat", "repl", "regex"); err != nil {
		return val{}, err
	}
	pat, ok := a.get(0, "pat")
	repl, ok2 := a.get(1, "repl")
	if !ok || !ok2 || pat.k != kText || repl.k != kText {
		return val{}, outside("str.replace() needs two texts")
	}
	regex, err := flagOf(a, "regex", false)
	if err != nil {
		return val{}, err
	}
	if regex {
		if literal("str.replace()", pat.s+repl.s) != nil {
			return m.replaceRegex(v.col(), pat, repl)
		}
	}
	return m.eachText(v.col(), dObject, func(s string) (val, error) {
		if len(s)+strings.Count(s, pat.s)*(len(repl.s)-len(pat.s)) > maxText { // before it is made
			return val{}, tooMuch("the text is longer than %d bytes", maxText)
		}
		return textVal(strings.ReplaceAll(s, pat.s, repl.s)), nil
	})
}

// textSlice is .str[key] and .str.get, also of lists.
func (m *machine) textSlice(c *column, key val) (val, error) {
	out := m.mem.column(dObject, c.n)
	for i, x := range c.objs {
		var err error
		switch {
		case x.null():
			out.objs[i] = x
			continue
		case x.k == kText:
			out.objs[i], err = textItem(x.s, key)
		case x.k == kList || x.k == kTuple:
			out.objs[i], err = listItem(x, key)
		case x.k == kOpaque:
			r, ok := x.ref.(*ndarray)
			if _, slice := key.ref.(*slice); !ok || slice {
				return val{}, outside(".str[…] of a %s is not supported", x.typeName())
			}
			out.objs[i], err = listItem(listVal(r.items), key)
		default:
			out.objs[i] = floatVal(math.NaN())
		}
		if f, ok := err.(*failure); ok && f.class == "IndexError" { //nolint:errorlint // made by position, never wrapped
			out.objs[i], err = floatVal(math.NaN()), nil
		}
		if err != nil {
			return val{}, err
		}
	}
	conv, err := m.soft(out)
	return colVal(conv), err
}

func text2Get(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.get()", 1, "i"); err != nil {
		return val{}, err
	}
	i, ok := a.get(0, "i")
	if !ok {
		return val{}, orMissing(nil, "str.get()")
	}
	return m.textSlice(v.col(), i)
}

func text2Slice(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.slice()", 2, "start", "stop"); err != nil {
		return val{}, err
	}
	from, _ := a.get(0, "start")
	to, _ := a.get(1, "stop")
	return m.textSlice(v.col(), val{k: kSlice, ref: &slice{from, to}})
}

// text2Split refuses expand, which makes columns whose number depends on the texts.
func text2Split(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.split()", 1, "pat", "n"); err != nil {
		return val{}, err
	}
	how, _ := pytext.Find("split")
	pat, _ := a.get(0, "pat")
	if pat.k == kText && len([]rune(pat.s)) > 1 {
		if err := literal("str.split()", pat.s); err != nil {
			return val{}, err
		}
	}
	in := &args{pos: []val{pat}}
	if n, ok := a.get(-1, "n"); ok && n.k == kInt && n.i > 0 {
		in.pos = append(in.pos, n)
	}
	return m.eachText(v.col(), dObject, func(s string) (val, error) { return pythonText("split", how, s, in) })
}
