package pytext

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

func split(name, s string, a []any) (any, error) {
	sep, isText := a[0].(string)
	switch {
	case a[0] != nil && !isText:
		return nil, raise("TypeError", "must be str or None, not %s", typeOf(a[0]))
	case isText && sep == "":
		return nil, raise("ValueError", "empty separator")
	}
	n, err := count(a[1])
	if err != nil {
		return nil, err
	}
	if n >= 0 {
		n = min(n, len(s)) + 1
	}
	switch {
	case !isText:
		return fields(s, n, name == "rsplit"), nil
	case name == "split" || n < 0:
		return strings.SplitN(s, sep, n), nil
	}
	parts := strings.Split(s, sep)
	if keep := len(parts) - n + 1; keep > 1 {
		parts = append([]string{strings.Join(parts[:keep], sep)}, parts[keep:]...)
	}
	return parts, nil
}

// fields splits at blanks, into at most n parts unless n is negative; the last
// part, or the first when splitting from the right, keeps its blanks.
func fields(s string, n int, right bool) []string {
	trim := strings.TrimLeftFunc
	if right {
		trim = strings.TrimRightFunc
	}
	parts := []string{}
	for s = trim(s, IsSpace); s != ""; {
		at := strings.IndexFunc(s, IsSpace)
		if right {
			at = strings.LastIndexFunc(s, IsSpace)
		}
		if at < 0 || n >= 0 && len(parts) == n-1 {
			parts = append(parts, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		part, rest := s[:at], s[at+size:]
		if right {
			part, rest = rest, part
		}
		parts, s = append(parts, part), trim(rest, IsSpace)
	}
	if right {
		slices.Reverse(parts)
	}
	return parts
}

// lines splits at line ends; with keepends they stay in the lines.
func lines(s string, keepends any) (any, error) {
	keep, ok := keepends.(int64)
	if !ok && keepends != nil {
		return nil, fmt.Errorf("splitlines() of a %s is not read", typeOf(keepends))
	}
	parts := []string{}
	for s != "" {
		at := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if at < 0 {
			parts = append(parts, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		if strings.HasPrefix(s[at:], "\r\n") {
			size = 2
		}
		line := s[:at]
		if keep != 0 {
			line = s[:at+size]
		}
		parts, s = append(parts, line), s[at+size:]
	}
	return parts, nil
}

func partition(name, s string, by any) (any, error) {
	sep, ok := by.(string)
	switch {
	case !ok:
		return nil, raise("TypeError", "must be str, not %s", typeOf(by))
	case sep == "":
		return nil, raise("ValueError", "empty separator")
	}
	if name == "partition" {
		before, after, found := strings.Cut(s, sep)
		if !found {
			return [3]string{s, "", ""}, nil
		}
		return [3]string{before, sep, after}, nil
	}
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return [3]string{"", "", s}, nil
	}
	return [3]string{s[:i], sep, s[i+len(sep):]}, nil
}
