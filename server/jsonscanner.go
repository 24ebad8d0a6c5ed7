package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// scanner reads JSON and returns raw tokens: entity values get the type of their join
// keys later, and the order of object keys matters. NaN and the infinities are
// accepted, as in Python.
type scanner struct {
	b []byte
	i int
}

// scanError is a syntax error, with the message of Python's json module.
type scanError struct {
	at   int // characters from the start
	what string
}

func (e *scanError) Error() string { return fmt.Sprintf("%s at character %d", e.what, e.at) }

func (s *scanner) fail(what string) error { return s.failAt(s.i, what) }

func (s *scanner) failAt(i int, what string) error {
	return &scanError{at: utf8.RuneCount(s.b[:min(i, len(s.b))]), what: what}
}

func (s *scanner) blanks() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	s.blanks()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// maxNesting bounds how deep skipped values nest.
const maxNesting = 200

// value returns the next value, not decoded.
func (s *scanner) value() ([]byte, error) {
	s.blanks()
	start := s.i
	if err := s.skip(0); err != nil {
		return nil, err
	}
	return s.b[start:s.i:s.i], nil
}

func (s *scanner) skip(depth int) error {
	if depth > maxNesting {
		return s.fail("nested too deep")
	}
	switch c := s.peek(); {
	case c == '"':
		return s.skipString()
	case c == '{':
		return s.object(func(string) error { return s.skip(depth + 1) })
	case c == '[':
		return s.array(func(int) error { return s.skip(depth + 1) })
	case c == '-' || c >= '0' && c <= '9':
		return s.skipNumber()
	}
	for _, word := range [...]string{"true", "false", "null", "NaN", "Infinity"} {
		if len(s.b)-s.i >= len(word) && string(s.b[s.i:s.i+len(word)]) == word {
			s.i += len(word)
			return nil
		}
	}
	return s.fail("Expecting value")
}

func (s *scanner) skipString() error {
	start := s.i
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '\\':
			if err := s.skipEscape(); err != nil {
				return err
			}
		case c == '"':
			s.i++
			return nil
		case c < 0x20:
			return s.fail("Invalid control character at")
		}
	}
	return s.failAt(start, "Unterminated string starting at")
}

// skipEscape moves to the last character of an escape sequence. The caller reports a
// string that ends within it.
func (s *scanner) skipEscape() error {
	start := s.i
	if s.i++; s.i >= len(s.b) {
		return nil
	}
	if s.b[s.i] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), s.b[s.i]) < 0 {
			return s.failAt(start, "Invalid \\escape")
		}
		return nil
	}
	for range 4 {
		if s.i++; s.i >= len(s.b) || !isHex(s.b[s.i]) {
			return s.failAt(start+1, "Invalid \\uXXXX escape")
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (s *scanner) skipNumber() error {
	start := s.i
	if s.b[s.i] == '-' {
		s.i++
		if len(s.b)-s.i >= 8 && string(s.b[s.i:s.i+8]) == "Infinity" {
			s.i += 8
			return nil
		}
	}
	first := s.i
	if !s.skipDigits() {
		return s.failAt(start, "Expecting value")
	}
	if s.b[first] == '0' && s.i > first+1 { // a leading zero ends the number
		s.i = first + 1
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		dot := s.i
		s.i++
		if !s.skipDigits() {
			s.i = dot
			return nil
		}
	}
	s.skipExponent()
	return nil
}

func (s *scanner) skipDigits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

// skipExponent skips the exponent of a number, if it has one: an e without digits is
// not part of the number.
func (s *scanner) skipExponent() {
	e := s.i
	if e >= len(s.b) || s.b[e] != 'e' && s.b[e] != 'E' {
		return
	}
	s.i++
	if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
		s.i++
	}
	if !s.skipDigits() {
		s.i = e
	}
}

// text reads a string. Without escapes the result points into the body and is valid
// only as long as the body.
func (s *scanner) text() (string, error) {
	s.blanks()
	start := s.i
	if err := s.skipString(); err != nil {
		return "", err
	}
	raw := s.b[start:s.i]
	for _, c := range raw {
		if c == '\\' {
			var out string
			if err := json.Unmarshal(raw, &out); err != nil {
				return "", s.failAt(start, "Invalid \\escape")
			}
			return out, nil
		}
	}
	if len(raw) == 2 {
		return "", nil
	}
	return unsafe.String(&raw[1], len(raw)-2), nil
}

// object calls visit for each key of an object; visit must read the value.
func (s *scanner) object(visit func(key string) error) error {
	s.i++ // the brace
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.fail("Expecting property name enclosed in double quotes")
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.fail("Expecting ':' delimiter")
		}
		s.i++
		if err := visit(key); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.fail("Expecting ',' delimiter")
		}
	}
}

// maxPreallocated bounds how many elements are allocated before they are read: commas
// are cheap to send.
const maxPreallocated = 4096

// countElements estimates the number of elements of the next array. It is exact if
// the elements contain no bracket and no comma; otherwise memory is wasted or the
// slice grows.
func (s *scanner) countElements() int {
	rest := s.b[s.i:]
	end := bytes.IndexByte(rest, ']')
	if end < 2 {
		return 0
	}
	return min(bytes.Count(rest[:end], []byte{','})+1, maxPreallocated)
}

// array calls visit for each element of an array; visit must read the element.
func (s *scanner) array(visit func(i int) error) error {
	s.i++ // the bracket
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for i := 0; ; i++ {
		if err := visit(i); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.fail("Expecting ',' delimiter")
		}
	}
}

// end checks that nothing follows.
func (s *scanner) end() error {
	if s.peek() != 0 || s.i < len(s.b) {
		return s.fail("Extra data")
	}
	return nil
}

// boolOf parses a boolean as Feast's server does, which also accepts 0, 1 and words
// such as "yes".
func boolOf(raw []byte) (v, ok bool) {
	switch string(raw) {
	case "true", "1", "1.0":
		return true, true
	case "false", "0", "0.0":
		return false, true
	}
	if len(raw) < 2 || raw[0] != '"' {
		return false, false
	}
	word, err := strconv.Unquote(string(raw))
	if err != nil {
		return false, false
	}
	switch lower(word) {
	case "true", "1", "yes", "on", "t", "y":
		return true, true
	case "false", "0", "no", "off", "f", "n":
		return false, true
	}
	return false, false
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}
