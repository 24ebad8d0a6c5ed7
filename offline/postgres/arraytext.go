package postgres

import (
	"bytes"
	"errors"
)

var errArrayText = errors.New("the server sent an array in an unknown text form")

// eachText visits the elements of an array in PostgreSQL's text form, {a,"b
// c",NULL}, which may begin with the bounds:
// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO. An element is
// valid until the next one; nil is a null.
func eachText(text []byte, delimiter byte, visit func([]byte) error) error {
	if len(text) > 0 && text[0] == '[' {
		end := bytes.IndexByte(text, '=')
		if end < 0 {
			return errArrayText
		}
		if n := bytes.Count(text[:end], []byte{'['}); n > 1 {
			return errDimensions(n)
		}
		text = text[end+1:]
	}
	if len(text) < 2 || text[0] != '{' {
		return errArrayText
	}
	dims := len(text) - len(bytes.TrimLeft(text, "{"))
	if dims > 1 {
		return errDimensions(dims)
	}
	if text = text[1:]; string(text) == "}" {
		return nil
	}
	scratch := make([]byte, 0, 64)
	for {
		element, rest, err := elementText(text, delimiter, scratch[:0])
		if err != nil {
			return err
		}
		if err := visit(element); err != nil {
			return err
		}
		if element != nil {
			scratch = element
		}
		if string(rest) == "}" {
			return nil
		}
		text = rest[1:]
	}
}

// elementText reads one element into dst and returns it with the rest of the
// text, which begins with the delimiter or the closing bracket.
func elementText(text []byte, delimiter byte, dst []byte) (element, rest []byte, err error) {
	quoted := len(text) > 0 && text[0] == '"'
	i := 0
	if quoted {
		i = 1
	}
	element = dst
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) {
				return nil, nil, errArrayText
			}
			element = append(element, text[i])
		case quoted && c == '"':
			if rest = text[i+1:]; ends(rest, delimiter) {
				return element, rest, nil
			}
			return nil, nil, errArrayText
		case !quoted && (c == delimiter || c == '}'):
			return bare(element, text[:i], text[i:], delimiter)
		case !quoted && (c == '{' || c == '"'):
			return nil, nil, errArrayText
		default:
			element = append(element, c)
		}
	}
	return nil, nil, errArrayText
}

// bare ends an element without quotes: NULL is a null; an empty one is an
// error.
func bare(element, written, rest []byte, delimiter byte) (_, _ []byte, err error) {
	if len(written) == 0 || !ends(rest, delimiter) {
		return nil, nil, errArrayText
	}
	if string(written) == "NULL" {
		return nil, rest, nil
	}
	return element, rest, nil
}

// ends reports whether an element may end before rest.
func ends(rest []byte, delimiter byte) bool {
	return len(rest) > 1 && rest[0] == delimiter || string(rest) == "}"
}
