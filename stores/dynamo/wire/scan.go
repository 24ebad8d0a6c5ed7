package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
)

// ErrForm is a response that is not JSON, or not of the expected form.
var ErrForm = errors.New("the response does not have the form of a DynamoDB response")

// maxSkip bounds the nesting of skipped values.
const maxSkip = 64

// Scanner reads the JSON of a response from left to right without building
// objects. Its strings point into the response, whose bytes it may overwrite:
// base64 is decoded in place.
type Scanner struct {
	b []byte
	i int
}

// NewScanner makes a scanner of the body of a response.
func NewScanner(body []byte) *Scanner { return &Scanner{b: body} }

// blanks skips white space.
func (s *Scanner) blanks() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\t', '\r':
			s.i++
		default:
			return
		}
	}
}

// Eat consumes a byte if it comes next.
func (s *Scanner) Eat(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	s.blanks()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// Starts consumes a text if it comes next, byte by byte.
func (s *Scanner) Starts(text string) bool {
	if end := s.i + len(text); end <= len(s.b) && string(s.b[s.i:end]) == text {
		s.i = end
		return true
	}
	return false
}

// Null consumes a null if it comes next.
func (s *Scanner) Null() bool {
	s.blanks()
	return s.Starts("null")
}

// Text reads a string.
func (s *Scanner) Text() ([]byte, error) {
	if !s.Eat('"') {
		return nil, ErrForm
	}
	start := s.i
	n := bytes.IndexByte(s.b[start:], '"')
	if n < 0 {
		return nil, ErrForm
	}
	if bytes.IndexByte(s.b[start:start+n], '\\') >= 0 {
		return s.escapedText(start)
	}
	s.i += n + 1
	return s.b[start : start+n], nil
}

// escapedText reads a string that holds a backslash.
func (s *Scanner) escapedText(start int) ([]byte, error) {
	for s.i = start; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '\\':
			s.i++
		case '"':
			s.i++
			var out string
			if err := json.Unmarshal(s.b[start-1:s.i], &out); err != nil {
				return nil, ErrForm
			}
			return []byte(out), nil
		}
	}
	return nil, ErrForm
}

// Next reports whether a byte comes next, without consuming it.
func (s *Scanner) Next(c byte) bool {
	s.blanks()
	return s.i < len(s.b) && s.b[s.i] == c
}

// Number reads a number; a malformed number gives 0.
func (s *Scanner) Number() (float64, error) {
	s.blanks()
	start := s.i
	err := s.skip(0)
	n, _ := strconv.ParseFloat(string(s.b[start:s.i]), 64)
	return n, err
}

// Skip skips a value.
func (s *Scanner) Skip() error { return s.skip(0) }

// skip skips a value at a depth of nesting.
func (s *Scanner) skip(depth int) error {
	if depth > maxSkip {
		return ErrForm
	}
	s.blanks()
	if s.i >= len(s.b) {
		return ErrForm
	}
	switch s.b[s.i] {
	case '"':
		_, err := s.Text()
		return err
	case '{':
		return s.Object(func([]byte) error { return s.skip(depth + 1) })
	case '[':
		return s.Array(func() error { return s.skip(depth + 1) })
	}
	start := s.i
	for s.i < len(s.b) && bytes.IndexByte([]byte(",]} \n\r\t"), s.b[s.i]) < 0 {
		s.i++
	}
	if !json.Valid(s.b[start:s.i]) {
		return ErrForm
	}
	return nil
}

// Object calls visit for each key of an object; visit reads the value.
func (s *Scanner) Object(visit func(key []byte) error) error {
	if !s.Eat('{') {
		return ErrForm
	}
	if s.Eat('}') {
		return nil
	}
	for {
		key, err := s.Text()
		if err != nil {
			return err
		}
		if !s.Eat(':') {
			return ErrForm
		}
		if err := visit(key); err != nil {
			return err
		}
		if more, err := s.More('}'); !more {
			return err
		}
	}
}

// More consumes the comma after an element, or the end of the list.
func (s *Scanner) More(end byte) (bool, error) {
	if s.Eat(',') {
		return true, nil
	}
	if s.Eat(end) {
		return false, nil
	}
	return false, ErrForm
}

// Array calls visit for each element of an array; visit reads the element.
func (s *Scanner) Array(visit func() error) error {
	if !s.Eat('[') {
		return ErrForm
	}
	if s.Eat(']') {
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		if more, err := s.More(']'); !more {
			return err
		}
	}
}

// End checks that nothing follows.
func (s *Scanner) End() error {
	if s.blanks(); s.i < len(s.b) {
		return ErrForm
	}
	return nil
}

// Typed reads an attribute: {"S":"…"}, "B" or "N". An attribute of any other type
// is skipped, and its kind is 0.
func (s *Scanner) Typed() (kind byte, text []byte, err error) {
	err = s.Object(func(key []byte) error {
		kind = 0
		if len(key) != 1 || key[0] != 'S' && key[0] != 'B' && key[0] != 'N' {
			return s.skip(0)
		}
		kind = key[0]
		text, err = s.Text()
		return err
	})
	return kind, text, err
}

// sextets are the values of base64 digits; other bytes are above 63.
var sextets = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// Base64 reads the rest of a base64 string up to its closing quote, and decodes
// it over itself: four digits are read before three bytes are written.
func (s *Scanner) Base64() ([]byte, error) {
	b, i, w := s.b, s.i, s.i
	start := i
	for i+4 <= len(b) {
		q := b[i : i+4 : i+4]
		c0, c1, c2, c3 := sextets[q[0]], sextets[q[1]], sextets[q[2]], sextets[q[3]]
		if c0|c1|c2|c3 > 63 {
			break
		}
		b[w], b[w+1], b[w+2] = c0<<2|c1>>4, c1<<4|c2>>2, c2<<6|c3
		i, w = i+4, w+3
	}
	if i < len(b) && b[i] == '"' {
		s.i = i + 1
		return b[start:w:w], nil
	}
	return s.base64Tail(start, i, w)
}

// base64Tail decodes the last, padded digits. A string with an escape, such as
// \/, is decoded separately from the escape on.
func (s *Scanner) base64Tail(start, i, w int) ([]byte, error) {
	b := s.b
	if i+5 > len(b) {
		return nil, ErrForm
	}
	q := b[i : i+5]
	c0, c1, c2 := sextets[q[0]], sextets[q[1]], sextets[q[2]]
	switch {
	case q[4] == '"' && q[3] == '=' && q[2] == '=' && c0|c1 <= 63 && c1&15 == 0:
		b[w] = c0<<2 | c1>>4
		w++
	case q[4] == '"' && q[3] == '=' && c0|c1|c2 <= 63 && c2&3 == 0:
		b[w], b[w+1] = c0<<2|c1>>4, c1<<4|c2>>2
		w += 2
	default:
		return s.base64Escaped(start, i, w)
	}
	s.i = i + 5
	return b[start:w:w], nil
}

// base64Escaped decodes the rest of a string with JSON escapes.
func (s *Scanner) base64Escaped(start, i, w int) ([]byte, error) {
	end := i
	for ; end < len(s.b) && s.b[end] != '"'; end++ {
		if s.b[end] == '\\' {
			end++
		}
	}
	if end >= len(s.b) || bytes.IndexByte(s.b[i:end], '\\') < 0 {
		return nil, ErrForm
	}
	var digits string
	piece := append(append([]byte{'"'}, s.b[i:end]...), '"')
	if err := json.Unmarshal(piece, &digits); err != nil {
		return nil, ErrForm
	}
	tail, err := base64.StdEncoding.DecodeString(digits)
	if err != nil {
		return nil, ErrForm
	}
	s.i = end + 1
	return append(s.b[start:w:w], tail...), nil
}
