package tokens

import (
	"strconv"
	"strings"
)

// stringPrefix is the length of the letters before a string's quote, -1 if no
// string starts here.
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

// literal is the position of a string literal: its body up to end, then as many
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
			i += escaped(src[i+1:], formatted)
		case src[i] == '\n' && len(quote) == 1:
			return lit, "this string is not closed on its line"
		case formatted && strings.HasPrefix(src[i:], "{{"):
			i++
		case formatted && src[i] == '{':
			end := FieldEnd(src, i, 0)
			if end < 0 {
				return lit, "a '{' of this f-string is never closed"
			}
			i = end
		}
	}
	return lit, "this string is not closed"
}

// escaped counts the bytes that belong to the escape after a backslash. In an
// f-string a brace never belongs to it: it still opens or closes a field.
func escaped(rest string, formatted bool) int {
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		return 2
	case formatted && rest != "" && (rest[0] == '{' || rest[0] == '}'):
		return 0
	}
	return 1
}

// nesting is 1 for an opening bracket, -1 for a closing one.
func nesting(c byte) int {
	switch c {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}

// FieldEnd finds the '}' that closes the replacement field at a byte; -1 if there
// is none.
func FieldEnd(src string, at, nested int) int {
	if nested > 8 {
		return -1
	}
	depth := 0
	for i := at + 1; i < len(src); i++ {
		switch c := src[i]; {
		case depth == 0 && c == '}':
			return i
		case nesting(c) != 0:
			depth += nesting(c)
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

// specEnd finds the '}' that ends a format specification, which may contain
// replacement fields.
func specEnd(src string, at, nested int) int {
	for i := at; i < len(src); i++ {
		switch src[i] {
		case '}':
			return i
		case '{':
			if i = FieldEnd(src, i, nested+1); i < 0 {
				return -1
			}
		case '\n':
			return -1
		}
	}
	return -1
}

// prefixStart steps back from a quote over the letters of its prefix.
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

// SplitField finds the end of a field's expression, its conversion, and the start
// of its format; -1 without one.
func SplitField(src string, from, to int) (end int, conversion byte, format int) {
	end, format = to, -1
	depth := 0
	for i := from; i < to; i++ {
		switch c := src[i]; {
		case nesting(c) != 0:
			depth += nesting(c)
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

// Strange reports whether text has escapes that a Go string cannot hold or that
// need Unicode's names: halves of surrogate pairs and \N{…}.
func Strange(s string) bool {
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

// Unescape returns the value of a string literal, and what is wrong with it.
func Unescape(s, prefix string) (string, string) {
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

// hexCode parses the digits of a character; it returns false if digits are
// missing or the character does not exist.
func hexCode(s string, digits int) (uint64, bool) {
	if len(s) < digits {
		return 0, false
	}
	v, err := strconv.ParseUint(s[:digits], 16, 32)
	return v, err == nil && v <= 0x10ffff && (v < 0xd800 || v >= 0xe000)
}

// escape writes the value of the escape at i; it returns how many more bytes the
// escape has.
func escape(b *strings.Builder, s string, i int, isBytes bool) (int, string) {
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
		v, ok := hexCode(s[i+1:], digits)
		if !ok {
			return 0, "a broken escape in this string"
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
