package python

import (
	"strconv"
	"strings"
)

// strings reads string literals that stand side by side as one.
func (p *parser) strings() expr {
	at := p.cur().from
	out := &fstring{node: node{at}}
	var raw Bytes
	plain, isBytes, unknown := 0, false, false
	for p.err == nil && p.cur().kind == text {
		t := p.advance()
		if !strings.ContainsAny(t.prefix, "br") && strange(t.text) {
			unknown = true
			continue
		}
		switch {
		case strings.Contains(t.prefix, "b"):
			s, problem := unescape(t.text, t.prefix)
			if problem != "" {
				p.fail(t.from, "%s", problem)
			}
			if strings.ContainsFunc(t.text, func(r rune) bool { return r > 127 }) {
				p.fail(t.from, "invalid syntax: bytes hold ASCII only; write \\x and two digits")
			}
			isBytes = true
			raw = append(raw, s...)
		case strings.Contains(t.prefix, "f"):
			plain++
			out.parts = append(out.parts, p.pieces(t.prefix, t.body, t.to-(t.body-t.from-len(t.prefix)), 0)...)
		default:
			plain++
			out.parts = append(out.parts, p.piece(t.text, t.prefix, t.from))
		}
	}
	if unknown {
		return &constExpr{node{at}, &Unknown{Why: "an escape for a named or half a character; write the character itself"}}
	}
	if isBytes && plain > 0 {
		p.fail(at, "invalid syntax: bytes and text cannot be joined")
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

// strange reports whether text has escapes that no Go text can hold or that
// need Unicode's list of names: \N{…} and halves of surrogate pairs.
func strange(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if s[i] == 'N' && strings.HasPrefix(s[i+1:], "{") {
			return true
		}
		digits := map[byte]int{'u': 4, 'U': 8}[s[i]]
		if digits == 0 || i+digits >= len(s) {
			continue
		}
		if v, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32); err == nil && v >= 0xd800 && v < 0xe000 {
			return true
		}
	}
	return false
}

// piece is a constant piece of text.
func (p *parser) piece(s, prefix string, at int) fpart {
	plain, problem := unescape(s, prefix)
	if problem != "" {
		p.fail(at, "%s", problem)
	}
	return fpart{text: plain}
}

// pieces reads an f-string, or a format specification, between two bytes.
func (p *parser) pieces(prefix string, from, to, nested int) []fpart {
	var parts []fpart
	src := p.file.Source
	for i := from; i < to && p.err == nil; {
		s := src[i:to]
		switch at := strings.IndexAny(s, "{}"); {
		case at < 0:
			parts = append(parts, p.piece(s, prefix, i))
			i = to
		case at > 0:
			parts = append(parts, p.piece(s[:at], prefix, i))
			i += at
		case nested == 0 && (strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}")):
			parts = append(parts, fpart{text: s[:1]})
			i += 2
		default:
			end := fieldEnd(src[:to], i, nested)
			if s[0] == '}' || end < 0 {
				p.fail(i, "a single '%c' in this f-string", s[0])
				return parts
			}
			parts = append(parts, p.field(prefix, i+1, end, nested)...)
			i = end + 1
		}
	}
	return parts
}

// field reads what stands between the braces of an f-string: an expression,
// "=" to show its text, a conversion, a format.
func (p *parser) field(prefix string, from, to, nested int) []fpart {
	end, conversion, format := splitField(p.file.Source, from, to)
	part := fpart{}
	if format >= 0 {
		part.format = p.pieces(prefix, format, to, nested+1)
	}
	if conversion != 0 {
		part.repr = conversion
		if strings.IndexByte("rsa", conversion) < 0 {
			p.fail(from, "invalid syntax: an f-string converts by !r, !s or !a")
		}
	}
	var shown []fpart
	if debug := strings.TrimRight(p.file.Source[from:end], " \t\n"); strings.HasSuffix(debug, "=") && !strings.HasSuffix(debug, "==") &&
		!strings.HasSuffix(debug, "!=") && !strings.HasSuffix(debug, "<=") && !strings.HasSuffix(debug, ">=") {
		shown = []fpart{{text: p.file.Source[from:end]}}
		if format < 0 && conversion == 0 {
			part.repr = 'r'
		}
		end = from + len(debug) - 1
	}
	part.value = p.inner(from, end)
	return append(shown, part)
}

// splitField finds where the expression of a field ends, its conversion, and
// where its format starts; -1 without one.
func splitField(src string, from, to int) (end int, conversion byte, format int) {
	end, format = to, -1
	depth := 0
	for i := from; i < to; i++ {
		switch c := src[i]; {
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == '"' || c == '\'':
			if lit, problem := scanString(src[:to], prefixStart(src, i)); problem == "" {
				i = lit.end + lit.quotes - 1
			}
		case depth == 0 && c == '!' && i+1 < to && src[i+1] != '=':
			rest := strings.TrimSpace(src[i+1 : to])
			if rest != "" {
				conversion = rest[0]
			}
			end = i
			if at := strings.IndexByte(src[i:to], ':'); at >= 0 {
				format = i + at + 1
			}
			return end, conversion, format
		case depth == 0 && c == ':':
			return i, 0, i + 1
		}
	}
	return end, 0, -1
}

// inner parses an expression of an f-string where it stands.
func (p *parser) inner(from, to int) expr {
	tokens, err := lexPart(p.file, from, to)
	if err != nil {
		if p.err == nil {
			p.err = err
			p.at = len(p.tokens) - 1
		}
		return &constExpr{}
	}
	sub := &parser{file: p.file, tokens: tokens, depth: p.depth + 1, binds: p.binds, class: p.class}
	e := sub.expressions()
	if sub.err == nil && sub.cur().kind != newline {
		sub.unexpected()
	}
	if sub.err != nil && p.err == nil {
		p.err = sub.err
		p.at = len(p.tokens) - 1
	}
	p.yields = p.yields || sub.yields
	return e
}

// unescape gives what a string literal says, and what is wrong with it.
func unescape(s, prefix string) (string, string) {
	if strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if strings.Contains(prefix, "r") || !strings.ContainsRune(s, '\\') {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		n, problem := escape(&b, s, i, strings.Contains(prefix, "b"))
		if problem != "" {
			return "", problem
		}
		i += n
	}
	return b.String(), ""
}

// escape writes what the escape at i stands for; it returns how many more bytes
// it took.
func escape(b *strings.Builder, s string, i int, isBytes bool) (int, string) {
	const broken = "a broken escape in this string"
	c := s[i]
	if at := strings.IndexByte("ntr\\'\"abfv", c); at >= 0 {
		b.WriteByte("\n\t\r\\'\"\a\b\f\v"[at])
		return 0, ""
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case c == '\n':
		return 0, ""
	case digits > 0 && (c == 'x' || !isBytes):
		if i+digits >= len(s) {
			return 0, broken
		}
		v, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32)
		if err != nil || v > 0x10ffff || v >= 0xd800 && v < 0xe000 {
			return 0, broken
		}
		writeCode(b, v, isBytes)
		return digits, ""
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[i:i+n], 8, 32) // one to three octal digits
		writeCode(b, v, isBytes)
		return n - 1, ""
	}
	b.WriteByte('\\')
	b.WriteByte(c)
	return 0, ""
}

func writeCode(b *strings.Builder, v uint64, isBytes bool) {
	if isBytes {
		b.WriteByte(byte(v))
		return
	}
	b.WriteRune(rune(v))
}
