package python

import (
	"strconv"
	"strings"
)

// strings reads string literals that stand side by side as one.
func (p *parser) strings() expr {
	at := p.cur().from
	out := &fstring{node: node{at}}
	raw := Bytes(nil)
	isBytes := false
	for p.err == nil && p.cur().kind == text {
		t := p.advance()
		switch {
		case strings.ContainsRune(t.prefix, 'b'):
			s, err := unescape(t)
			if err != "" {
				p.fail(t.from, "%s", err)
			}
			isBytes = true
			raw = append(raw, s...)
		case strings.ContainsRune(t.prefix, 'f'):
			p.fparts(out, t)
		default:
			s, err := unescape(t)
			if err != "" {
				p.fail(t.from, "%s", err)
			}
			out.parts = append(out.parts, fpart{text: s})
		}
	}
	if isBytes {
		return &constExpr{node{at}, raw}
	}
	var whole strings.Builder
	for _, part := range out.parts {
		if part.value != nil {
			return out
		}
		whole.WriteString(part.text)
	}
	return &constExpr{node{at}, whole.String()}
}

// unescape gives what a string literal says, and what is wrong with it.
func unescape(t token) (string, string) {
	if strings.ContainsRune(t.prefix, 'r') || !strings.ContainsRune(t.text, '\\') {
		return t.text, ""
	}
	var b strings.Builder
	for i := 0; i < len(t.text); i++ {
		c := t.text[i]
		if c != '\\' || i+1 == len(t.text) {
			b.WriteByte(c)
			continue
		}
		i++
		n, problem := escape(&b, t, i)
		if problem != "" {
			return "", problem
		}
		i += n
	}
	return b.String(), ""
}

// escape writes what the escape at i stands for; it returns how many more bytes
// it took.
func escape(b *strings.Builder, t token, i int) (int, string) {
	simple := map[byte]string{
		'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"", '\n': "",
		'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v",
	}
	c := t.text[i]
	if s, ok := simple[c]; ok {
		b.WriteString(s)
		return 0, ""
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case digits > 0:
		if i+digits >= len(t.text) {
			return 0, "a broken escape in this string"
		}
		v, err := strconv.ParseUint(t.text[i+1:i+1+digits], 16, 32)
		if err != nil {
			return 0, "a broken escape in this string"
		}
		if strings.ContainsRune(t.prefix, 'b') {
			b.WriteByte(byte(v))
		} else {
			b.WriteRune(rune(v))
		}
		return digits, ""
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && i+n < len(t.text) && t.text[i+n] >= '0' && t.text[i+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(t.text[i:i+n], 8, 32)
		b.WriteRune(rune(v))
		return n - 1, ""
	}
	b.WriteByte('\\')
	b.WriteByte(c)
	return 0, ""
}

// fparts reads the pieces of an f-string.
func (p *parser) fparts(out *fstring, t token) {
	s := t.text
	for s != "" && p.err == nil {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		if i > 0 {
			plain, problem := unescape(token{text: s[:i], prefix: t.prefix})
			if problem != "" {
				p.fail(t.from, "%s", problem)
			}
			out.parts = append(out.parts, fpart{text: plain})
			s = s[i:]
			continue
		}
		if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}") {
			out.parts = append(out.parts, fpart{text: s[:1]})
			s = s[2:]
			continue
		}
		end := closing(s)
		if s[0] == '}' || end < 0 {
			p.fail(t.from, "a single '}' or an unclosed '{' in this f-string")
			return
		}
		out.parts = append(out.parts, p.replacement(s[1:end], t))
		s = s[end+1:]
	}
}

// closing finds the brace that closes the one s starts with.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// replacement reads what stands between the braces of an f-string.
func (p *parser) replacement(s string, t token) fpart {
	body, format := s, ""
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ':':
			if depth == 0 && format == "" && body == s {
				body, format = s[:i], s[i+1:]
			}
		}
	}
	part := fpart{format: format}
	body = strings.TrimSuffix(strings.TrimSpace(body), "=")
	for _, conversion := range []string{"!r", "!s", "!a"} {
		if strings.HasSuffix(body, conversion) {
			part.repr = conversion != "!s"
			body = strings.TrimSuffix(body, conversion)
		}
	}
	inner := &File{Name: p.file.Name, Source: "(" + body + ")"}
	tokens, err := lex(inner)
	if err != nil {
		p.fail(t.from, "an expression of this f-string cannot be read")
		return part
	}
	sub := &parser{file: inner, tokens: tokens, depth: p.depth + 1}
	part.value = sub.expression()
	if sub.err != nil || sub.cur().kind != newline {
		p.fail(t.from, "an expression of this f-string cannot be read")
	}
	part.value = &shifted{node{t.from}, part.value}
	return part
}

// shifted is an expression out of an f-string: errors in it point at the string.
type shifted struct {
	node
	value expr
}
