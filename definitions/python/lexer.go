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
// the quotes and prefix the letters before them.
type token struct {
	kind     tokenKind
	text     string
	prefix   string
	from, to int // bytes
}

// lexer cuts a file into tokens, with its blocks marked by indent and dedent.
type lexer struct {
	file    *File
	src     string
	at      int
	depth   int // of brackets: inside them lines and blanks do not count
	blocks  []int
	tokens  []token
	newLine bool
}

func lex(file *File) ([]token, error) {
	l := &lexer{file: file, src: file.Source, blocks: []int{0}, newLine: true}
	l.src = strings.TrimPrefix(l.src, "\ufeff")
	l.at = 0
	for l.at < len(l.src) {
		if l.newLine && l.depth == 0 {
			if err := l.startLine(); err != nil {
				return nil, err
			}
			continue
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(newline, l.at, l.at)
	for range l.blocks[1:] {
		l.add(dedent, l.at, l.at)
	}
	l.add(endOfFile, l.at, l.at)
	return l.tokens, nil
}

func (l *lexer) add(kind tokenKind, from, to int) {
	l.tokens = append(l.tokens, token{kind: kind, text: l.src[from:to], from: from, to: to})
}

// startLine measures the indentation of a line, passing over empty ones.
func (l *lexer) startLine() error {
	width, i := 0, l.at
	for ; i < len(l.src); i++ {
		switch l.src[i] {
		case ' ':
			width++
			continue
		case '\t':
			width += 8 - width%8
			continue
		case '\f':
			width = 0
			continue
		}
		break
	}
	if i < len(l.src) && (l.src[i] == '\n' || l.src[i] == '\r' || l.src[i] == '#') {
		for i < len(l.src) && l.src[i] != '\n' {
			i++
		}
		l.at = min(i+1, len(l.src))
		return nil
	}
	l.at, l.newLine = i, false
	if i == len(l.src) {
		return nil
	}
	if width > l.blocks[len(l.blocks)-1] {
		l.blocks = append(l.blocks, width)
		l.add(indent, i, i)
		return nil
	}
	for width < l.blocks[len(l.blocks)-1] {
		l.blocks = l.blocks[:len(l.blocks)-1]
		l.add(dedent, i, i)
	}
	if width != l.blocks[len(l.blocks)-1] {
		return l.file.fail(i, "this indentation fits no outer block")
	}
	return nil
}

// next takes one token.
func (l *lexer) next() error {
	switch c := l.src[l.at]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		l.at++
	case c == '#':
		for l.at < len(l.src) && l.src[l.at] != '\n' {
			l.at++
		}
	case c == '\\' && strings.HasPrefix(strings.TrimPrefix(l.src[l.at+1:], "\r"), "\n"):
		l.at += strings.IndexByte(l.src[l.at:], '\n') + 1
	case c == '\n':
		if l.depth == 0 {
			l.add(newline, l.at, l.at+1)
			l.newLine = true
		}
		l.at++
	case stringPrefix(l.src[l.at:]) >= 0:
		return l.string()
	case c >= '0' && c <= '9', c == '.' && l.at+1 < len(l.src) && l.src[l.at+1] >= '0' && l.src[l.at+1] <= '9':
		l.number()
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
		if !strings.ContainsRune("fFrRbBuU", rune(s[i])) {
			return -1
		}
	}
	return -1
}

func (l *lexer) string() error {
	start := l.at
	n := stringPrefix(l.src[start:])
	quote := l.src[start+n : start+n+1]
	if strings.HasPrefix(l.src[start+n:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	body := start + n + len(quote)
	for i := body; i < len(l.src); i++ {
		switch {
		case l.src[i] == '\\':
			i++
		case strings.HasPrefix(l.src[i:], quote):
			l.tokens = append(l.tokens, token{kind: text, text: l.src[body:i], prefix: strings.ToLower(l.src[start : start+n]), from: start, to: i + len(quote)})
			l.at = i + len(quote)
			return nil
		case l.src[i] == '\n' && len(quote) == 1:
			return l.file.fail(start, "this string is not closed on its line")
		}
	}
	return l.file.fail(start, "this string is not closed")
}

func (l *lexer) number() {
	i := l.at
	for i < len(l.src) {
		c := l.src[i]
		sign := (c == '-' || c == '+') && i > l.at && (l.src[i-1] == 'e' || l.src[i-1] == 'E') && !strings.HasPrefix(l.src[l.at:], "0x")
		if !sign && c != '.' && c != '_' && !isDigitOrLetter(c) {
			break
		}
		i++
	}
	l.add(number, l.at, i)
	l.at = i
}

func isDigitOrLetter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// word takes a name or an operator.
func (l *lexer) word() error {
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	if unicode.IsLetter(r) || r == '_' {
		i := l.at
		for i < len(l.src) {
			r, size := utf8.DecodeRuneInString(l.src[i:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) {
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
	switch l.src[l.at] {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		l.depth = max(l.depth-1, 0)
	}
	l.add(operator, l.at, l.at+n)
	l.at += n
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
