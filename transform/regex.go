package transform

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// pattern is a regular expression that has the same meaning in Python and Go.
type pattern struct {
	re     *regexp.Regexp
	ascii  bool // its meaning is the same for texts of ASCII only
	dollar bool // it has a $, which Python also matches before a line feed at the end
	empty  bool // it may match nothing
}

// maxPattern and maxPatterns bound the regular expressions of a run.
const (
	maxPattern  = 1000
	maxPatterns = 64
)

// how is where a regular expression must match.
type how byte

const (
	anywhere how = iota
	atStart
	whole1
)

// pattern compiles a regular expression, or finds it among those of former calls.
func (m *machine) pattern(text string, h how, fold bool) (*pattern, error) {
	key := string(rune('0'+h)) + text
	if fold {
		key = "i" + key
	}
	if p, ok := m.patterns[key]; ok {
		return p, nil
	}
	p, err := compilePattern(text, h, fold)
	if err != nil {
		return nil, err
	}
	if m.patterns == nil || len(m.patterns) >= maxPatterns {
		m.patterns = map[string]*pattern{}
	}
	m.patterns[key] = p
	return p, nil
}

func compilePattern(text string, h how, fold bool) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, outside("a regular expression of more than %d bytes is not supported", maxPattern)
	}
	t := translator{rest: text, p: &pattern{}}
	if rest, ok := strings.CutPrefix(text, "(?i)"); ok {
		t.rest, fold = rest, true
	}
	for t.rest != "" && t.err == nil {
		t.next()
	}
	if t.err != nil {
		return nil, t.err
	}
	out := t.out.String()
	tree, err := syntax.Parse(out, syntax.Perl)
	if err != nil {
		return nil, outside("the regular expression %s is not supported", repr(textVal(text)))
	}
	least, ok := leastLength(tree, false)
	if !ok {
		return nil, outside("the regular expression %s repeats what may be empty, or a group, which is not supported", repr(textVal(text)))
	}
	switch h {
	case atStart:
		out = `\A(?:` + out + `)`
	case whole1:
		out = `\A(?:` + out + `)\z`
	}
	if fold {
		out, t.p.ascii = "(?i)"+out, true
	}
	if t.p.re, err = regexp.Compile(out); err != nil {
		return nil, outside("the regular expression %s is not supported", repr(textVal(text)))
	}
	t.p.empty = least == 0
	return t.p, nil
}

// leastLength is the least length of a match. False is returned for a repetition of what may
// be empty, or of a group: Python and Go differ in them.
func leastLength(r *syntax.Regexp, repeated bool) (n int, ok bool) {
	if r.Op == syntax.OpCapture && repeated {
		return 0, false
	}
	repeats := r.Op == syntax.OpStar || r.Op == syntax.OpPlus || r.Op == syntax.OpRepeat
	lengths := make([]int, len(r.Sub))
	for i, s := range r.Sub {
		if lengths[i], ok = leastLength(s, repeated || repeats); !ok || (repeats || r.Op == syntax.OpQuest) && lengths[i] == 0 {
			return 0, false
		}
		n += lengths[i]
	}
	return ownLength(r, lengths, n), true
}

// ownLength is the least length of an expression whose parts have lengths, n together.
func ownLength(r *syntax.Regexp, lengths []int, n int) int {
	switch r.Op {
	case syntax.OpLiteral:
		return len(r.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpStar, syntax.OpQuest:
		return 0
	case syntax.OpRepeat:
		return n * r.Min
	case syntax.OpAlternate:
		return slices.Min(lengths)
	}
	return n
}

// check refuses a text for which the meaning of a pattern may not be the same.
func (p *pattern) check(s string) error {
	switch {
	case p.ascii && !ascii(s):
		return tooMuch("this regular expression on other than ASCII is not supported")
	case p.dollar && strings.HasSuffix(s, "\n"):
		return tooMuch("a regular expression with $ on a text that ends in a line feed is not supported")
	}
	return nil
}

// translator writes a regular expression of Python as one of Go.
type translator struct {
	rest string
	out  strings.Builder
	p    *pattern
	err  error
}

func (t *translator) refuse(what string) {
	t.err = outside("%s in a regular expression is not supported", what)
}

func (t *translator) take(n int) string {
	s := t.rest[:n]
	t.rest = t.rest[n:]
	return s
}

func (t *translator) next() {
	switch t.rest[0] {
	case '\\':
		t.escape(false)
	case '[':
		t.class()
	case '(':
		t.group()
	case '$':
		t.take(1)
		t.p.dollar = true
		t.out.WriteString(`\z`)
	case '^':
		t.take(1)
		t.out.WriteString(`\A`)
	case '{':
		t.repeat()
	default:
		t.out.WriteString(t.take(1))
	}
}

// repeat reads {m}, {m,} or {m,n}; other braces are texts.
func (t *translator) repeat() {
	end := strings.IndexByte(t.rest, '}')
	if end < 0 || strings.Trim(t.rest[1:end], "0123456789,") != "" || end == 1 || strings.Count(t.rest[:end], ",") > 1 {
		t.take(1)
		t.out.WriteString(`\{`)
		return
	}
	if t.rest[1] == ',' {
		t.refuse("{,n}")
		return
	}
	t.out.WriteString(t.take(end + 1))
}

func (t *translator) group() {
	switch {
	case !strings.HasPrefix(t.rest, "(?"):
		t.out.WriteString(t.take(1))
	case strings.HasPrefix(t.rest, "(?:"):
		t.out.WriteString(t.take(3))
	case strings.HasPrefix(t.rest, "(?P<"):
		t.out.WriteString(t.take(4))
	default:
		t.refuse(t.rest[:min(3, len(t.rest))])
	}
}

// setOfEscape are the characters of \d, \w and \s among those of ASCII.
func setOfEscape(c byte) string {
	switch c {
	case 'd':
		return "0-9"
	case 'w':
		return "0-9A-Za-z_"
	case 's':
		return `\t-\r\x1c-\x20`
	}
	return ""
}

// escape reads a backslash and what it stands before.
func (t *translator) escape(inClass bool) {
	if len(t.rest) < 2 {
		t.refuse("a backslash at the end")
		return
	}
	c := t.rest[1]
	out := t.characters(c, inClass)
	if out == "" && !inClass {
		switch c {
		case 'b', 'B':
			out, t.p.ascii = t.rest[:2], true
		case 'A':
			out = `\A`
		case 'Z':
			out = `\z`
		}
	}
	if out == "" {
		t.refuse(`\` + string(c))
		return
	}
	t.out.WriteString(out)
	t.take(2)
}

// characters are what an escape of characters means; empty for any other escape.
func (t *translator) characters(c byte, inClass bool) string {
	set, negated := setOfEscape(c), ""
	if c >= 'A' && c <= 'Z' && !inClass {
		negated = setOfEscape(c | 0x20)
	}
	switch {
	case set != "" && inClass:
		t.p.ascii = true
		return set
	case set != "":
		t.p.ascii = true
		return "[" + set + "]"
	case negated != "":
		t.p.ascii = true
		return "[^" + negated + "]"
	case strings.IndexByte("ntrfva", c) >= 0:
		return t.rest[:2]
	case c >= 0x80 || isLetter(rune(c)) || c >= '0' && c <= '9':
		return ""
	case c <= ' ' || c == '_':
		return regexp.QuoteMeta(string(c))
	}
	return t.rest[:2]
}

// class reads a set such as [a-z].
func (t *translator) class() {
	t.out.WriteString(t.take(1))
	if strings.HasPrefix(t.rest, "^") {
		t.out.WriteString(t.take(1))
	}
	for first := true; t.err == nil; first = false {
		switch {
		case t.rest == "":
			t.refuse("a set without an end")
		case t.rest[0] == ']' && !first:
			t.out.WriteString(t.take(1))
			return
		case t.rest[0] == '\\':
			t.escape(true)
		case t.rest[0] == '[' || t.rest[0] == ']':
			t.out.WriteString(`\` + t.take(1))
		default:
			t.out.WriteString(t.take(1))
		}
	}
}
