package python

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	endOfFile tokenKind = iota
	name
	number
	text
	operator
	newline
	indent
	dedent
)

// token is one piece of the source. For a string, text is what stands between
// the quotes, body where it starts, and prefix the letters before the quotes.
type token struct {
	kind     tokenKind
	text     string
	prefix   string
	from, to int // bytes of the file
	body     int
}

// lexer cuts a file into tokens, with its blocks marked by indent and dedent.
type lexer struct {
	file    *File
	src     string // the file up to where the lexer may read
	at      int
	open    []byte // brackets that are not closed: inside them lines do not count
	blocks  []width
	tokens  []token
	newLine bool
}

// lex cuts a whole file.
func lex(file *File) ([]token, error) {
	l := &lexer{file: file, src: file.Source, blocks: []width{{}}, newLine: true}
	if !utf8.ValidString(l.src) {
		return nil, file.fail(0, "the file is not UTF-8")
	}
	for l.at < len(l.src) {
		if l.newLine && len(l.open) == 0 {
			if err := l.startLine(); err != nil {
				return nil, err
			}
			continue
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	if n := len(l.open); n > 0 {
		return nil, file.fail(len(l.src), "'%c' is never closed", l.open[n-1])
	}
	l.add(newline, l.at, l.at)
	for range l.blocks[1:] {
		l.add(dedent, l.at, l.at)
	}
	l.add(endOfFile, l.at, l.at)
	return l.tokens, nil
}

// lexPart cuts an expression out of an f-string, where lines do not count.
func lexPart(file *File, from, to int) ([]token, error) {
	l := &lexer{file: file, src: file.Source[:to], at: from, open: []byte{'{'}}
	for l.at < to {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(newline, to, to)
	l.add(endOfFile, to, to)
	return l.tokens, nil
}

func (l *lexer) add(kind tokenKind, from, to int) {
	l.tokens = append(l.tokens, token{kind: kind, text: l.src[from:to], from: from, to: to})
}

// width is an indentation, with tabs that stop at every eighth column and with
// tabs of one: where the two compare otherwise, tabs and spaces are mixed.
type width struct{ wide, narrow int }

func (w *width) add(c byte) {
	switch c {
	case ' ':
		w.wide, w.narrow = w.wide+1, w.narrow+1
	case '\t':
		w.wide, w.narrow = w.wide+8-w.wide%8, w.narrow+1
	default:
		*w = width{}
	}
}

// startLine measures the indentation of a line, passing over empty ones.
func (l *lexer) startLine() error {
	var w width
	i := l.at
	for ; i < len(l.src) && strings.IndexByte(" \t\f", l.src[i]) >= 0; i++ {
		w.add(l.src[i])
	}
	if i < len(l.src) && strings.IndexByte("\n\r#", l.src[i]) >= 0 {
		l.at = len(l.src)
		if end := strings.IndexByte(l.src[i:], '\n'); end >= 0 {
			l.at = i + end + 1
		}
		return nil
	}
	l.at, l.newLine = i, false
	if i == len(l.src) {
		return nil
	}
	return l.block(i, w)
}

// block begins or ends blocks by the indentation of a line.
func (l *lexer) block(at int, w width) error {
	outer := l.blocks[len(l.blocks)-1]
	if w.wide > outer.wide {
		if len(l.blocks) > maxDepth {
			return l.file.fail(at, "nested too deep")
		}
		if w.narrow <= outer.narrow {
			return l.file.fail(at, "inconsistent use of tabs and spaces in indentation")
		}
		l.blocks = append(l.blocks, w)
		l.add(indent, at, at)
		return nil
	}
	for w.wide < l.blocks[len(l.blocks)-1].wide {
		l.blocks = l.blocks[:len(l.blocks)-1]
		l.add(dedent, at, at)
	}
	switch outer := l.blocks[len(l.blocks)-1]; {
	case w.wide != outer.wide:
		return l.file.fail(at, "this indentation fits no outer block")
	case w.narrow != outer.narrow:
		return l.file.fail(at, "inconsistent use of tabs and spaces in indentation")
	}
	return nil
}

// next takes one token.
func (l *lexer) next() error {
	switch c := l.src[l.at]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		l.at++
	case c == '#':
		end := strings.IndexByte(l.src[l.at:], '\n')
		if end < 0 {
			end = len(l.src) - l.at
		}
		l.at += end
	case c == '\\' && strings.HasPrefix(strings.TrimPrefix(l.src[l.at+1:], "\r"), "\n"):
		l.at += strings.IndexByte(l.src[l.at:], '\n') + 1
	case c == '\n':
		if len(l.open) == 0 {
			l.add(newline, l.at, l.at+1)
			l.newLine = true
		}
		l.at++
	case stringPrefix(l.src[l.at:]) >= 0:
		return l.string()
	case isDigit(c), c == '.' && l.at+1 < len(l.src) && isDigit(l.src[l.at+1]):
		end := numberEnd(l.src, l.at)
		l.add(number, l.at, end)
		l.at = end
	default:
		return l.word()
	}
	return nil
}

// stringPrefix is the length of the letters before a string's quote, -1 when
// no string starts here.
func stringPrefix(s string) int {
	for i := 0; i < len(s) && i < 3; i++ {
		if s[i] == '"' || s[i] == '\'' {
			return i
		}
		if strings.IndexByte("fFrRbBuU", s[i]) < 0 {
			return -1
		}
	}
	return -1
}

func (l *lexer) string() error {
	start := l.at
	lit, problem := scanString(l.src, start)
	if problem != "" {
		return l.file.fail(start, "%s", problem)
	}
	l.tokens = append(l.tokens, token{
		kind: text, text: l.src[lit.body:lit.end], prefix: lit.prefix, from: start, to: lit.end + lit.quotes, body: lit.body,
	})
	l.at = lit.end + lit.quotes
	return nil
}

// literal is where a string literal stands: its body up to end, then as many
// quotes as it began with.
type literal struct {
	prefix            string
	body, end, quotes int
}

// scanString finds the end of the string literal that starts at a byte.
func scanString(src string, start int) (literal, string) {
	n := stringPrefix(src[start:])
	quote := src[start+n : start+n+1]
	if strings.HasPrefix(src[start+n:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	lit := literal{prefix: strings.ToLower(src[start : start+n]), body: start + n + len(quote), quotes: len(quote)}
	formatted := strings.Contains(lit.prefix, "f")
	for i := lit.body; i < len(src); i++ {
		switch {
		case strings.HasPrefix(src[i:], quote):
			lit.end = i
			return lit, ""
		case src[i] == '\\':
			switch {
			case strings.HasPrefix(src[i+1:], "\r\n"):
				i += 2
			case !formatted || i+1 == len(src) || src[i+1] != '{' && src[i+1] != '}':
				i++
			}
		case src[i] == '\n' && len(quote) == 1:
			return lit, "this string is not closed on its line"
		case formatted && strings.HasPrefix(src[i:], "{{"):
			i++
		case formatted && src[i] == '{':
			end := fieldEnd(src, i, 0)
			if end < 0 {
				return lit, "a '{' of this f-string is never closed"
			}
			i = end
		}
	}
	return lit, "this string is not closed"
}

// fieldEnd finds the '}' that closes the replacement field at a byte; -1 when
// there is none.
func fieldEnd(src string, at, nested int) int {
	if nested > 8 {
		return -1
	}
	depth := 0
	for i := at + 1; i < len(src); i++ {
		switch c := src[i]; {
		case c == '(' || c == '[' || c == '{':
			depth++
		case depth == 0 && c == '}':
			return i
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == '"' || c == '\'':
			lit, problem := scanString(src, prefixStart(src, i))
			if problem != "" {
				return -1
			}
			i = lit.end + lit.quotes - 1
		case depth == 0 && c == ':':
			return specEnd(src, i+1, nested)
		}
		if depth < 0 {
			return -1
		}
	}
	return -1
}

// specEnd finds the '}' that ends a format specification, which may hold
// replacement fields itself.
func specEnd(src string, at, nested int) int {
	for i := at; i < len(src); i++ {
		switch src[i] {
		case '}':
			return i
		case '{':
			if i = fieldEnd(src, i, nested+1); i < 0 {
				return -1
			}
		case '\n':
			return -1
		}
	}
	return -1
}

// prefixStart steps back from a quote over the letters that belong to it.
func prefixStart(src string, quote int) int {
	i := quote
	for i > 0 && quote-i < 2 && strings.IndexByte("fFrRbBuU", src[i-1]) >= 0 {
		i--
	}
	if i > 0 && (isDigit(src[i-1]) || isLetter(src[i-1]) || src[i-1] == '_') {
		return quote
	}
	return i
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// numberEnd finds where a number ends.
func numberEnd(src string, at int) int {
	digits := func(i int, ok func(byte) bool) int {
		for i < len(src) && (ok(src[i]) || src[i] == '_' && i+1 < len(src) && ok(src[i+1])) {
			i++
		}
		return i
	}
	if src[at] == '0' && at+1 < len(src) && strings.IndexByte("xXoObB", src[at+1]) >= 0 {
		return digits(at+2, func(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' })
	}
	i := digits(at, isDigit)
	if i < len(src) && src[i] == '.' {
		i = digits(i+1, isDigit)
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		j := i + 1
		if j < len(src) && (src[j] == '+' || src[j] == '-') {
			j++
		}
		if j < len(src) && isDigit(src[j]) {
			i = digits(j, isDigit)
		}
	}
	if i < len(src) && (src[i] == 'j' || src[i] == 'J') {
		i++
	}
	return i
}

// word takes a name or an operator.
func (l *lexer) word() error {
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	if unicode.IsLetter(r) || r == '_' || unicode.Is(unicode.Nl, r) {
		i := l.at
		for i < len(l.src) {
			r, size := utf8.DecodeRuneInString(l.src[i:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.In(r, unicode.M, unicode.Nl, unicode.Pc) {
				break
			}
			i += size
		}
		l.add(name, l.at, i)
		l.at = i
		return nil
	}
	n := operatorLength(l.src[l.at:])
	if n == 0 {
		return l.file.fail(l.at, "unexpected character %q", r)
	}
	if err := l.bracket(l.src[l.at]); err != nil {
		return err
	}
	l.add(operator, l.at, l.at+n)
	l.at += n
	return nil
}

// bracket keeps account of what is open.
func (l *lexer) bracket(c byte) error {
	switch c {
	case '(', '[', '{':
		if len(l.open) > maxDepth {
			return l.file.fail(l.at, "nested too deep")
		}
		l.open = append(l.open, c)
	case ')', ']', '}':
		n := len(l.open)
		if n == 0 {
			return l.file.fail(l.at, "unmatched '%c'", c)
		}
		if want := map[byte]byte{'(': ')', '[': ']', '{': '}'}[l.open[n-1]]; want != c {
			return l.file.fail(l.at, "'%c' is closed by '%c'", l.open[n-1], c)
		}
		l.open = l.open[:n-1]
	}
	return nil
}

func operatorLength(s string) int {
	for _, op := range [...]string{
		"**=", "//=", ">>=", "<<=", "...", "->", ":=", "**", "//", "<<", ">>", "<=", ">=", "==", "!=",
		"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=",
	} {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	if strings.IndexByte("()[]{}.,:;=+-*/%@&|^~<>", s[0]) >= 0 {
		return 1
	}
	return 0
}
