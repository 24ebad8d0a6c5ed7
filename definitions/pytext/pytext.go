// Package pytext implements what Python does with text alone: formatting texts
// and numbers, repr, and the methods of str. It works on plain Go values and
// knows nothing of the interpreter that uses it.
//
// Its results are Python's. It refuses what it cannot do exactly like Python: an
// error is a [*PythonError] if Python raises one, otherwise a refusal.
package pytext

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// MaxText bounds the length of results, in bytes.
const MaxText = 1 << 20

// PythonError is an exception that Python raises here.
type PythonError struct{ Class, Text string }

// Error returns the text of the exception.
func (e *PythonError) Error() string { return e.Text }

func raise(class, format string, args ...any) error {
	return &PythonError{class, fmt.Sprintf(format, args...)}
}

func errLong() error { return fmt.Errorf("this text is too long") }

// Quote is the repr of a text.
func Quote(s string) string {
	quote := quoteFor(s)
	var b strings.Builder
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r < 0x80:
			quoteByte(&b, byte(r), quote)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			escape(&b, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// QuoteBytes is the repr of bytes.
func QuoteBytes(v []byte) string {
	quote := quoteFor(string(v))
	var b strings.Builder
	b.WriteByte('b')
	b.WriteByte(quote)
	for _, c := range v {
		quoteByte(&b, c, quote)
	}
	b.WriteByte(quote)
	return b.String()
}

func quoteFor(s string) byte {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

func quoteByte(b *strings.Builder, c, quote byte) {
	switch {
	case c == quote || c == '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c == '\n':
		b.WriteString(`\n`)
	case c == '\t':
		b.WriteString(`\t`)
	case c == '\r':
		b.WriteString(`\r`)
	case c < ' ' || c > '~':
		escape(b, rune(c))
	default:
		b.WriteByte(c)
	}
}

func escape(b *strings.Builder, r rune) {
	switch {
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// ASCII escapes what is not ASCII, as ascii does to a repr.
func ASCII(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c < 0x80 {
			b.WriteRune(c)
			continue
		}
		escape(&b, c)
	}
	return b.String()
}

// Float is the repr of a float.
func Float(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// IsSpace reports whether a character is a blank for Python.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// length is the number of characters.
func length(s string) int { return len([]rune(s)) }
