package pytext

import "strings"

// Fill fills the replacement fields of a text, as str.format does. It passes the
// text between two braces to field, with its depth: a format may contain fields,
// too, whose depth is one more. Fill stops when more is false.
func Fill(s string, depth int, field func(text string, depth int) (out string, more bool, err error)) (string, error) {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if depth == 0 && (strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}")) {
			b.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := closing(s)
		if s[0] == '}' || end < 0 {
			return "", raise("ValueError", "Single '%c' encountered in format string", s[0])
		}
		if depth > 1 {
			return "", raise("ValueError", "Max string recursion exceeded")
		}
		out, more, err := field(s[1:end], depth)
		if err != nil || !more {
			return "", err
		}
		b.WriteString(out)
		if s = s[end+1:]; b.Len() > MaxText {
			return "", errLong()
		}
	}
	return b.String(), nil
}

// closing finds the brace that closes the brace at the start of a text.
func closing(s string) int {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open <= 0 {
				return i
			}
		}
	}
	return -1
}
