package tokens

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxDepth bounds the nesting of brackets and blocks.
const MaxDepth = 150

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens. Newline ends a logical line; Indent and Dedent begin and
// end a block.
const (
	EndOfFile Kind = iota
	Name
	Number
	Text
	Operator
	Newline
	Indent
	Dedent
)

// Token is one token of the source. For a string, Text is the text between the
// quotes, Body its start, and Prefix the letters before the quotes.
type Token struct {
	Kind     Kind
	Text     string
	Prefix   string
	From, To int // byte offsets in the file
	Body     int
}

// Error is an error at a byte of the source.
type Error struct {
	At   int
	Text string
}

// Error returns the text without its place.
func (e *Error) Error() string { return e.Text }

func (*lexer) fail(at int, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

// lexer splits a file into tokens, with its blocks marked by indent and dedent.
type lexer struct {
	src     string // the file up to the end of the lexer's part
	at      int
	open    []byte // open brackets: inside them line ends are ignored
	opened  []int  // their positions
	blocks  []width
	tokens  []Token
	newLine bool
}

// loneReturn finds a carriage return without a following line feed; -1 for none.
func loneReturn(src string) int {
	for i := range len(src) {
		if src[i] == '\r' && !strings.HasPrefix(src[i+1:], "\n") {
			return i
		}
	}
	return -1
}

// Lex tokenizes a whole file.
func Lex(src string) ([]Token, error) {
	l := &lexer{src: src, blocks: []width{{}}, newLine: true, tokens: make([]Token, 0, len(src)/5)} // about what definitions have
	if !utf8.ValidString(l.src) {
		return nil, l.fail(strings.IndexFunc(l.src, func(r rune) bool { return r == utf8.RuneError }), "the file is not UTF-8")
	}
	if at := loneReturn(l.src); at >= 0 {
		return nil, l.fail(at, "a single carriage return ends a line in Python, which is not read; end lines with line feeds")
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
		return nil, l.fail(l.opened[n-1], "'%c' is never closed", l.open[n-1])
	}
	l.add(Newline, l.at, l.at)
	for range l.blocks[1:] {
		l.add(Dedent, l.at, l.at)
	}
	l.add(EndOfFile, l.at, l.at)
	return l.tokens, nil
}

// LexPart tokenizes an expression of an f-string, where line ends are ignored.
func LexPart(src string, from, to int) ([]Token, error) {
	l := &lexer{src: src[:to], at: from, open: []byte{'{'}}
	for l.at < to {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(Newline, to, to)
	l.add(EndOfFile, to, to)
	return l.tokens, nil
}

func (l *lexer) add(kind Kind, from, to int) {
	l.tokens = append(l.tokens, Token{Kind: kind, Text: l.src[from:to], From: from, To: to})
}

// width is an indentation, with tab stops at every eighth column and with tabs as
// one column: if the two compare differently, tabs and spaces are mixed.
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

// startLine measures the indentation of a line and skips empty lines.
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
		if len(l.blocks) > MaxDepth {
			return l.fail(at, "nested too deep")
		}
		if w.narrow <= outer.narrow {
			return l.fail(at, "inconsistent use of tabs and spaces in indentation")
		}
		l.blocks = append(l.blocks, w)
		l.add(Indent, at, at)
		return nil
	}
	for w.wide < l.blocks[len(l.blocks)-1].wide {
		l.blocks = l.blocks[:len(l.blocks)-1]
		l.add(Dedent, at, at)
	}
	switch outer := l.blocks[len(l.blocks)-1]; {
	case w.wide != outer.wide:
		return l.fail(at, "this indentation matches no outer block")
	case w.narrow != outer.narrow:
		return l.fail(at, "inconsistent use of tabs and spaces in indentation")
	}
	return nil
}

// next reads one token.
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
			l.add(Newline, l.at, l.at+1)
			l.newLine = true
		}
		l.at++
	case stringPrefix(l.src[l.at:]) >= 0:
		return l.string()
	case isDigit(c), c == '.' && l.at+1 < len(l.src) && isDigit(l.src[l.at+1]):
		end := numberEnd(l.src, l.at)
		l.add(Number, l.at, end)
		l.at = end
	default:
		return l.word()
	}
	return nil
}

func (l *lexer) string() error {
	start := l.at
	lit, problem := scanString(l.src, start)
	if problem != "" {
		return l.fail(start, "%s", problem)
	}
	l.tokens = append(l.tokens, Token{
		Kind: Text, Text: l.src[lit.body:lit.end], Prefix: lit.prefix, From: start, To: lit.end + lit.quotes, Body: lit.body,
	})
	l.at = lit.end + lit.quotes
	return nil
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// numberEnd finds where a number ends.
func numberEnd(src string, at int) int {
	if src[at] == '0' && isAny(src, at+1, "xXoObB") {
		return digitsEnd(src, at+2, isHex)
	}
	i := digitsEnd(src, at, isDigit)
	if isAny(src, i, ".") {
		i = digitsEnd(src, i+1, isDigit)
	}
	i = exponentEnd(src, i)
	if isAny(src, i, "jJ") {
		i++
	}
	return i
}

// isAny reports whether one of some bytes is at a position.
func isAny(src string, at int, bytes string) bool {
	return at < len(src) && strings.IndexByte(bytes, src[at]) >= 0
}

// digitsEnd finds the end of digits, which may have underscores between them.
func digitsEnd(src string, i int, ok func(byte) bool) int {
	for i < len(src) && (ok(src[i]) || src[i] == '_' && i+1 < len(src) && ok(src[i+1])) {
		i++
	}
	return i
}

// exponentEnd finds the end of a number's exponent; if there is none, the
// position where it would begin.
func exponentEnd(src string, at int) int {
	if !isAny(src, at, "eE") {
		return at
	}
	i := at + 1
	if isAny(src, i, "+-") {
		i++
	}
	if !isAny(src, i, "0123456789") {
		return at
	}
	return digitsEnd(src, i, isDigit)
}

// word reads a name or an operator.
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
		if name := l.src[l.at:i]; !norm.NFKC.IsNormalString(name) {
			return l.fail(l.at, "Python reads this name as '%s'; write it that way", norm.NFKC.String(name))
		}
		l.add(Name, l.at, i)
		l.at = i
		return nil
	}
	n := operatorLength(l.src[l.at:])
	if n == 0 {
		return l.fail(l.at, "unexpected character %q", r)
	}
	if err := l.bracket(l.src[l.at]); err != nil {
		return err
	}
	l.add(Operator, l.at, l.at+n)
	l.at += n
	return nil
}

// bracket tracks the open brackets.
func (l *lexer) bracket(c byte) error {
	switch c {
	case '(', '[', '{':
		if len(l.open) > MaxDepth {
			return l.fail(l.at, "nested too deep")
		}
		l.open, l.opened = append(l.open, c), append(l.opened, l.at)
	case ')', ']', '}':
		n := len(l.open)
		if n == 0 {
			return l.fail(l.at, "unmatched '%c'", c)
		}
		if want := map[byte]byte{'(': ')', '[': ']', '{': '}'}[l.open[n-1]]; want != c {
			return l.fail(l.at, "'%c' is closed by '%c'", l.open[n-1], c)
		}
		l.open, l.opened = l.open[:n-1], l.opened[:n-1]
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
