package python

import (
	"strings"

	"github.com/banquet-fs/banquet/definitions/tokens"
)

// strings parses adjacent string literals as one.
func (p *parser) strings() expr {
	at := p.cur().From
	out := &fstring{node: node{at}}
	var raw Bytes
	plain, isBytes, unknown := 0, false, false
	for p.err == nil && p.cur().Kind == tokens.Text {
		t := p.advance()
		if !strings.ContainsAny(t.Prefix, "br") && tokens.Strange(t.Text) {
			unknown = true
			continue
		}
		switch {
		case strings.Contains(t.Prefix, "b"):
			s, problem := tokens.Unescape(t.Text, t.Prefix)
			if problem != "" {
				p.fail(t.From, "%s", problem)
			}
			if strings.ContainsFunc(t.Text, func(r rune) bool { return r > 127 }) {
				p.fail(t.From, "invalid syntax: bytes hold ASCII only; write \\x and two digits")
			}
			isBytes = true
			raw = append(raw, s...)
		case strings.Contains(t.Prefix, "f"):
			plain++
			out.parts = append(out.parts, p.pieces(t.Prefix, t.Body, t.To-(t.Body-t.From-len(t.Prefix)), 0)...)
		default:
			plain++
			out.parts = append(out.parts, p.piece(t.Text, t.Prefix, t.From))
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

// piece is a constant part of text.
func (p *parser) piece(s, prefix string, at int) fpart {
	plain, problem := tokens.Unescape(s, prefix)
	if problem != "" {
		p.fail(at, "%s", problem)
	}
	return fpart{text: plain}
}

// pieces parses an f-string, or a format specification, between two bytes.
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
			end := tokens.FieldEnd(src[:to], i, nested)
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

// field parses the text between the braces of an f-string: an expression, "=" to
// show its text, a conversion, a format.
func (p *parser) field(prefix string, from, to, nested int) []fpart {
	end, conversion, format := tokens.SplitField(p.file.Source, from, to)
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

// inner parses an expression inside an f-string.
func (p *parser) inner(from, to int) expr {
	list, err := tokens.LexPart(p.file.Source, from, to)
	if err != nil {
		if p.err == nil {
			p.err = p.file.place(err)
			p.at = len(p.tokens) - 1
		}
		return &constExpr{}
	}
	sub := &parser{file: p.file, tokens: list, depth: p.depth + 1, binds: p.binds, class: p.class}
	e := sub.expressions()
	if sub.err == nil && sub.cur().Kind != tokens.Newline {
		sub.unexpected()
	}
	if sub.err != nil && p.err == nil {
		p.err = sub.err
		p.at = len(p.tokens) - 1
	}
	p.yields = p.yields || sub.yields
	return e
}
