package value

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// splitArray returns the elements of a JSON array, which stay in the memory of the
// token. It finds where each element ends; whether an element is valid is for its
// reader to check.
func splitArray(token []byte) ([][]byte, error) {
	refuse := func() ([][]byte, error) { return nil, fault.New(fault.Invalid, "%s is not a JSON array", short(token)) }
	inner := bytes.TrimSpace(token)
	if len(inner) < 2 || inner[0] != '[' || inner[len(inner)-1] != ']' {
		return refuse()
	}
	inner = inner[1 : len(inner)-1]
	if len(bytes.TrimSpace(inner)) == 0 {
		return nil, nil
	}
	var out [][]byte
	depth, start := 0, 0
	for i := 0; i < len(inner); i++ {
		switch inner[i] {
		case '"':
			i += quotedEnd(inner[i:])
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, bytes.TrimSpace(inner[start:i]))
				start = i + 1
			}
		}
		if depth < 0 {
			return refuse()
		}
	}
	out = append(out, bytes.TrimSpace(inner[start:]))
	for _, e := range out {
		if len(e) == 0 || depth != 0 {
			return refuse()
		}
	}
	return out, nil
}

// isScalar reports whether a token is a JSON string, number or boolean, or one of
// Python's infinities. The content of a string is for its reader to check.
func isScalar(token []byte) bool {
	switch token[0] {
	case '"':
		return len(token) > 1 && quotedEnd(token) == len(token)-1
	case 't', 'f', 'I':
		s := string(token)
		return s == "true" || s == "false" || s == "Infinity"
	}
	return string(token) == "-Infinity" || json.Valid(token) && (token[0] == '-' || token[0] >= '0' && token[0] <= '9')
}

// pythonJSON is the text that Python's json module writes for a token: with a blank
// after commas and colons, texts in ASCII, floats as Python prints them. The order of
// an object's keys is kept.
func pythonJSON(token []byte) (string, error) {
	if !isJSON(string(token)) {
		return "", fault.New(fault.Invalid, "%s is not JSON", short(token))
	}
	out := make([]byte, 0, len(token)+len(token)/4)
	for i := 0; i < len(token); {
		switch c := token[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
		case ',', ':':
			out = append(out, c, ' ')
			i++
		case '[', ']', '{', '}':
			out = append(out, c)
			i++
		case '"':
			end := i + quotedEnd(token[i:]) + 1
			if halfPair(token[i:end]) {
				return "", fault.New(fault.Invalid, "%s holds half of a surrogate pair", short(token[i:end]))
			}
			var s string
			if err := json.Unmarshal(token[i:end], &s); err != nil {
				return "", fault.New(fault.Invalid, "%s is not JSON", short(token)).Because(err)
			}
			out = appendPythonQuoted(out, s)
			i = end
		default:
			end := i
			for end < len(token) && !bytes.ContainsRune([]byte(",:]} \t\r\n"), rune(token[end])) {
				end++
			}
			out = append(out, pythonNumber(string(token[i:end]))...)
			i = end
		}
	}
	return string(out), nil
}

// pythonNumber is a number, or a name such as true, as Python's json module writes it.
func pythonNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") || strings.ContainsAny(s, "NIlu") { // an integer or a name
		if s == "-0" {
			return "0"
		}
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return s
	}
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return pythonFloat(f)
}
