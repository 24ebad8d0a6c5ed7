package library

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Flags of re, with Python's values.
const (
	flagIgnoreCase = 2
	flagLocale     = 4
	flagMultiline  = 8
	flagDotAll     = 16
	flagUnicode    = 32
	flagVerbose    = 64
	flagASCII      = 256
)

// pattern is a Python regular expression in Go's syntax.
type pattern struct {
	source               string
	flags                int64
	search, match, whole *regexp.Regexp
	empty                bool // it can match the empty text
	size                 int  // its instructions
	// ends, bounds and folds say that the pattern has $, \b or case-insensitive
	// letters, which mean the same in Go only for some texts.
	ends, bounds, folds bool
}

// maxPattern bounds the length of a pattern.
const maxPattern = 4096

// newPattern translates a pattern; it refuses what Go's expressions lack.
func newPattern(source string, flags int64) (*pattern, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("this pattern is too long to be read")
	}
	t := translator{pattern: &pattern{source: source, flags: flags}, rest: source, named: map[string]bool{}}
	t.inlineFlags()
	if t.flags&^(flagIgnoreCase|flagMultiline|flagDotAll|flagUnicode|flagVerbose|flagASCII) != 0 {
		return nil, fmt.Errorf("these flags of a pattern are not read")
	}
	if err := t.all(); err != nil {
		return nil, fmt.Errorf("the pattern %q is not read: %w", source, err)
	}
	p := t.pattern
	p.folds = p.flags&flagIgnoreCase != 0
	if p.folds && !ascii(source) {
		return nil, fmt.Errorf("the pattern %q is not read: it ignores the case of letters that are not ASCII", source)
	}
	prefix := "(?"
	for flag, letter := range map[int64]string{flagIgnoreCase: "i", flagMultiline: "m", flagDotAll: "s"} {
		if p.flags&flag != 0 {
			prefix += letter
		}
	}
	body := prefix + ":" + t.out.String() + ")"
	var err error
	for _, form := range []struct {
		to   **regexp.Regexp
		text string
	}{{&p.search, body}, {&p.match, `\A` + body}, {&p.whole, `\A` + body + `\z`}} {
		if *form.to, err = regexp.Compile(form.text); err != nil {
			return nil, fmt.Errorf("the pattern %q is not read: Go's expressions do not have it", source)
		}
	}
	tree, err := syntax.Parse(body, syntax.Perl)
	if err != nil || emptyLoop(tree) {
		return nil, fmt.Errorf("the pattern %q is not read: it repeats what may be empty", source)
	}
	p.empty = mayBeEmpty(tree)
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the pattern %q is not read: Go's expressions do not have it", source)
	}
	p.size = len(program.Inst)
	return p, nil
}

// mayBeEmpty reports whether an expression can match the empty text.
func mayBeEmpty(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpNoMatch, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral:
		return len(e.Rune) == 0
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(e.Sub[0])
	case syntax.OpRepeat:
		return e.Min == 0 || mayBeEmpty(e.Sub[0])
	case syntax.OpConcat:
		for _, sub := range e.Sub {
			if !mayBeEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range e.Sub {
			if mayBeEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true
}

// emptyLoop reports whether an expression repeats something that can be empty: Go
// and Python differ in the groups of such loops.
func emptyLoop(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		if mayBeEmpty(e.Sub[0]) {
			return true
		}
	}
	for _, sub := range e.Sub {
		if emptyLoop(sub) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// check refuses texts on which the pattern could mean something else in Go.
func (p *pattern) check(s string) error {
	switch {
	case !ascii(s) && (p.bounds || p.folds):
		return fmt.Errorf("the pattern %q is read on ASCII text only: it has word boundaries or ignores case", p.source)
	case p.ends && strings.HasSuffix(s, "\n"):
		return fmt.Errorf("the pattern %q is not read on text that ends a line: $ has two places there; use \\Z", p.source)
	}
	return nil
}

type translator struct {
	*pattern
	rest  string
	out   strings.Builder
	named map[string]bool
	// atom is set if a quantifier may follow.
	atom bool
}

// inlineFlags parses (?i) and the like at the start.
func (t *translator) inlineFlags() {
	for {
		end := strings.IndexByte(t.rest, ')')
		if !strings.HasPrefix(t.rest, "(?") || end < 3 || strings.Trim(t.rest[2:end], "imsxau") != "" {
			return
		}
		for _, c := range t.rest[2:end] {
			t.flags |= map[rune]int64{'i': flagIgnoreCase, 'm': flagMultiline, 's': flagDotAll, 'x': flagVerbose, 'a': flagASCII, 'u': flagUnicode}[c]
		}
		t.rest = t.rest[end+1:]
	}
}

func (t *translator) all() error {
	for t.rest != "" {
		r, n := utf8.DecodeRuneInString(t.rest)
		var err error
		switch {
		case r == utf8.RuneError:
			return fmt.Errorf("it is not a text")
		case t.flags&flagVerbose != 0 && strings.ContainsRune(" \t\n\r\f\v", r):
			t.rest = t.rest[n:]
		case t.flags&flagVerbose != 0 && r == '#':
			_, t.rest, _ = strings.Cut(t.rest, "\n")
		case r == '\\':
			err = t.escape()
		case r == '[':
			err = t.class()
		case r == '(':
			err = t.group()
		case strings.ContainsRune("*+?{", r):
			err = t.repeat()
		default:
			t.plain(r)
			t.rest = t.rest[n:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plain handles a character, or a single-character operator.
func (t *translator) plain(r rune) {
	t.atom = r != '|' && r != '^' && r != '$'
	switch r {
	case '|', ')', '.', '^':
		t.out.WriteRune(r)
	case '$':
		if t.flags&flagMultiline == 0 {
			t.ends = true
			t.out.WriteString(`\z`)
			return
		}
		t.out.WriteString("$")
	default:
		t.out.WriteString(regexp.QuoteMeta(string(r)))
	}
}

// group opens a group.
func (t *translator) group() error {
	t.atom = false
	for _, open := range []string{"(?:", "(?P<"} {
		if rest, ok := strings.CutPrefix(t.rest, open); ok {
			t.rest = rest
			t.out.WriteString(open)
			if open == "(?P<" {
				name, after, _ := strings.Cut(rest, ">")
				if t.named[name] {
					return fmt.Errorf("it has the group %s twice", name)
				}
				t.named[name] = true
				t.out.WriteString(name + ">")
				t.rest = after
			}
			return nil
		}
	}
	if strings.HasPrefix(t.rest, "(?") {
		return fmt.Errorf("it looks ahead or back, refers to a group, or has another form of (?…)")
	}
	t.rest = t.rest[1:]
	t.out.WriteByte('(')
	return nil
}

// repeat parses *, +, ? and {m,n}, and a ? that makes them lazy.
func (t *translator) repeat() error {
	form := t.rest[:1]
	t.rest = t.rest[1:]
	if form == "{" {
		bounds, after, ok := strings.Cut(t.rest, "}")
		low, high, two := strings.Cut(bounds, ",")
		if !ok || strings.Trim(low+high, "0123456789") != "" || low+high == "" && !two {
			t.plain('{') // not a repetition: the character itself
			return nil
		}
		if low == "" {
			low = "0"
		}
		form, t.rest = "{"+low+"}", after
		if two {
			form = "{" + low + "," + high + "}"
		}
	}
	if !t.atom {
		return fmt.Errorf("there is nothing to repeat")
	}
	t.atom = false
	t.out.WriteString(form)
	if strings.HasPrefix(t.rest, "+") {
		return fmt.Errorf("it has a possessive quantifier")
	}
	if rest, lazy := strings.CutPrefix(t.rest, "?"); lazy {
		t.out.WriteByte('?')
		t.rest = rest
	}
	return nil
}

// blanks are the characters that \s matches.
const blanks = `\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`

// kind returns the content of a class for \d, \s or \w.
func (t *translator) kind(c byte) string {
	only := t.flags&flagASCII != 0
	switch {
	case c == 'd' && only:
		return "0-9"
	case c == 'd':
		return `\p{Nd}`
	case c == 's' && only:
		return `\t-\r `
	case c == 's':
		return blanks
	case c == 'w' && only:
		return "0-9A-Za-z_"
	case c == 'w':
		return `\p{L}\p{N}_`
	}
	return ""
}

// escape parses a backslash outside of classes.
func (t *translator) escape() error {
	t.atom = true
	if len(t.rest) > 1 {
		c := t.rest[1]
		kind := t.kind(c | 0x20)
		switch {
		case kind != "" && c >= 'a':
			t.out.WriteString("[" + kind + "]")
		case kind != "":
			t.out.WriteString("[^" + kind + "]")
		case c == 'b' || c == 'B':
			t.bounds, t.atom = true, false
			t.out.WriteString(t.rest[:2])
		case c == 'A':
			t.atom = false
			t.out.WriteString(`\A`)
		case c == 'Z':
			t.atom = false
			t.out.WriteString(`\z`)
		default:
			r, err := t.character()
			t.out.WriteString(regexp.QuoteMeta(string(r)))
			return err
		}
		t.rest = t.rest[2:]
		return nil
	}
	return fmt.Errorf("it ends in a backslash")
}

// character parses an escape for one character.
func (t *translator) character() (rune, error) {
	r, n := utf8.DecodeRuneInString(t.rest[1:])
	t.rest = t.rest[1+n:]
	if at := strings.IndexRune("ntrfva", r); at >= 0 {
		return rune("\n\t\r\f\v\a"[at]), nil
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[r]
	if digits > 0 && len(t.rest) >= digits {
		v, err := strconv.ParseUint(t.rest[:digits], 16, 32)
		t.rest = t.rest[digits:]
		if err != nil || !utf8.ValidRune(rune(v)) {
			return 0, fmt.Errorf("it has a broken escape")
		}
		return rune(v), nil
	}
	if r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' {
		return 0, fmt.Errorf("it has the escape \\%c", r)
	}
	return r, nil
}

// class parses [...].
func (t *translator) class() error {
	for _, any := range []string{`[\s\S]`, `[\S\s]`, `[\w\W]`, `[\W\w]`, `[\d\D]`, `[\D\d]`} {
		if rest, ok := strings.CutPrefix(t.rest, any); ok {
			t.out.WriteString(`(?s:.)`)
			t.rest, t.atom = rest, true
			return nil
		}
	}
	t.rest = t.rest[1:]
	t.out.WriteByte('[')
	if rest, ok := strings.CutPrefix(t.rest, "^"); ok {
		t.out.WriteByte('^')
		t.rest = rest
	}
	for first := true; ; first = false {
		if t.rest == "" {
			return fmt.Errorf("a class has no end")
		}
		if t.rest[0] == ']' && !first {
			t.rest, t.atom = t.rest[1:], true
			t.out.WriteByte(']')
			return nil
		}
		if err := t.member(); err != nil {
			return err
		}
	}
}

// member parses a character, a range or a kind in a class.
func (t *translator) member() error {
	if len(t.rest) > 1 && t.rest[0] == '\\' {
		if kind := t.kind(t.rest[1] | 0x20); kind != "" {
			if t.rest[1] < 'a' {
				return fmt.Errorf("a class holds what is not of a kind (\\%c)", t.rest[1])
			}
			t.out.WriteString(kind)
			if t.rest = t.rest[2:]; strings.HasPrefix(t.rest, "-") && !strings.HasPrefix(t.rest, "-]") {
				return fmt.Errorf("a range begins with a kind of characters")
			}
			return nil
		}
	}
	low, err := t.one()
	if err != nil {
		return err
	}
	high := low
	if strings.HasPrefix(t.rest, "-") && !strings.HasPrefix(t.rest, "-]") {
		t.rest = t.rest[1:]
		if len(t.rest) > 1 && t.rest[0] == '\\' && t.kind(t.rest[1]|0x20) != "" {
			return fmt.Errorf("a range ends with a kind of characters")
		}
		if high, err = t.one(); err != nil {
			return err
		}
	}
	fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, low, high)
	return nil
}

// one parses one character of a class.
func (t *translator) one() (rune, error) {
	r, n := utf8.DecodeRuneInString(t.rest)
	switch {
	case t.rest == "" || r == utf8.RuneError:
		return 0, fmt.Errorf("a class has no end")
	case r != '\\':
		t.rest = t.rest[n:]
		return r, nil
	case strings.HasPrefix(t.rest, `\b`):
		t.rest = t.rest[2:]
		return '\b', nil
	case len(t.rest) < 2:
		return 0, fmt.Errorf("it ends in a backslash")
	}
	return t.character()
}
