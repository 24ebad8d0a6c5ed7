package dynamo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// errJSON is an answer that is no JSON, or not of the form it should have.
var errJSON = errors.New("the answer is not what DynamoDB answers")

// Answers that are well written and still not the answer to the call: taken for
// it, rows that are there would seem to be missing.
var (
	errStranger = errors.New("the answer is that to another question")
	errTwice    = errors.New("the answer holds an item twice")
)

// noValue stands for a stored value that is no bytes at all: it is no
// feast.types.Value, so that its cell is told to be invalid, not missing.
var noValue = []byte{0xff}

// maxSkip bounds how deep skipped values nest.
const maxSkip = 64

// scanner reads the JSON of an answer left to right without building objects.
// Its strings point into the answer, whose bytes it may overwrite: base64 is
// decoded in place.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) blanks() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\t', '\r':
			s.i++
		default:
			return
		}
	}
}

// eat takes a byte if it comes next.
func (s *scanner) eat(c byte) bool {
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

// starts takes a text if it comes next, byte by byte.
func (s *scanner) starts(text string) bool {
	if end := s.i + len(text); end <= len(s.b) && string(s.b[s.i:end]) == text {
		s.i = end
		return true
	}
	return false
}

// null takes a null if it comes next.
func (s *scanner) null() bool {
	s.blanks()
	return s.starts("null")
}

// text reads a string.
func (s *scanner) text() ([]byte, error) {
	if !s.eat('"') {
		return nil, errJSON
	}
	start := s.i
	n := bytes.IndexByte(s.b[start:], '"')
	if n < 0 {
		return nil, errJSON
	}
	if bytes.IndexByte(s.b[start:start+n], '\\') >= 0 {
		return s.escapedText(start)
	}
	s.i += n + 1
	return s.b[start : start+n], nil
}

// escapedText reads a string that holds a backslash.
func (s *scanner) escapedText(start int) ([]byte, error) {
	for s.i = start; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '\\':
			s.i++
		case '"':
			s.i++
			var out string
			if err := json.Unmarshal(s.b[start-1:s.i], &out); err != nil {
				return nil, errJSON
			}
			return []byte(out), nil
		}
	}
	return nil, errJSON
}

// skip passes over a value.
func (s *scanner) skip(depth int) error {
	if depth > maxSkip {
		return errJSON
	}
	s.blanks()
	if s.i >= len(s.b) {
		return errJSON
	}
	switch s.b[s.i] {
	case '"':
		_, err := s.text()
		return err
	case '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case '[':
		return s.array(func() error { return s.skip(depth + 1) })
	}
	start := s.i
	for s.i < len(s.b) && bytes.IndexByte([]byte(",]} \n\r\t"), s.b[s.i]) < 0 {
		s.i++
	}
	if !json.Valid(s.b[start:s.i]) {
		return errJSON
	}
	return nil
}

// object visits the keys of an object; visit reads the value.
func (s *scanner) object(visit func(key []byte) error) error {
	if !s.eat('{') {
		return errJSON
	}
	if s.eat('}') {
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.eat(':') {
			return errJSON
		}
		if err := visit(key); err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// more takes the comma behind an element, or what ends the list of them.
func (s *scanner) more(end byte) (bool, error) {
	if s.eat(',') {
		return true, nil
	}
	if s.eat(end) {
		return false, nil
	}
	return false, errJSON
}

// array visits the elements of an array; visit reads the element.
func (s *scanner) array(visit func() error) error {
	if !s.eat('[') {
		return errJSON
	}
	if s.eat(']') {
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		if more, err := s.more(']'); !more {
			return err
		}
	}
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	if s.blanks(); s.i < len(s.b) {
		return errJSON
	}
	return nil
}

// typed reads an attribute: {"S":"…"} and its like. Of a type whose value is
// no string only the type is told.
func (s *scanner) typed() (kind byte, text []byte, err error) {
	err = s.object(func(key []byte) error {
		kind = 0
		if len(key) != 1 || key[0] != 'S' && key[0] != 'B' && key[0] != 'N' {
			return s.skip(0)
		}
		kind = key[0]
		text, err = s.text()
		return err
	})
	return kind, text, err
}

// sextets are the values of base64's digits; others are above 63.
var sextets = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// base64 reads the rest of a string of base64 up to its closing quote, and
// decodes it over itself: four digits are read before three bytes are written.
func (s *scanner) base64() ([]byte, error) {
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

// base64Tail decodes the last, padded digits. A string that holds an escape,
// such as \/, is decoded anew from where the escape begins.
func (s *scanner) base64Tail(start, i, w int) ([]byte, error) {
	b := s.b
	if i+5 > len(b) {
		return nil, errJSON
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

// base64Escaped decodes what is left of a string whose JSON is escaped.
func (s *scanner) base64Escaped(start, i, w int) ([]byte, error) {
	end := i
	for ; end < len(s.b) && s.b[end] != '"'; end++ {
		if s.b[end] == '\\' {
			end++
		}
	}
	if end >= len(s.b) || bytes.IndexByte(s.b[i:end], '\\') < 0 {
		return nil, errJSON
	}
	var digits string
	piece := append(append([]byte{'"'}, s.b[i:end]...), '"')
	if err := json.Unmarshal(piece, &digits); err != nil {
		return nil, errJSON
	}
	tail, err := base64.StdEncoding.DecodeString(digits)
	if err != nil {
		return nil, errJSON
	}
	s.i = end + 1
	return append(s.b[start:w:w], tail...), nil
}
