package pytext

import (
	"fmt"
	"strings"
)

// Other is an argument of a type that no method accepts: it names the type.
type Other string

// Method is a method of str.
type Method struct {
	// Params are its parameters, such as "sep? maxsplit?": those with a "?" are
	// optional.
	Params string
	// Named is set if they may be given by name.
	Named bool
	call  func(s string, a []any) (any, error)
}

// Call returns the result of the method: a bool, an int64, a string, a []string
// for a list or a [3]string for a tuple. There is one argument for each of
// Params: a string, an int64, a []any for a tuple, an Other, or nil for None or
// an omitted one.
func (m Method) Call(s string, args []any) (any, error) { return m.call(s, args) }

// Find finds a method. Methods that need more than texts and numbers are not
// included.
func Find(name string) (Method, bool) {
	if m, ok := caseMethod(name); ok {
		return m, true
	}
	params := map[string]string{
		"strip": "chars?", "lstrip": "chars?", "rstrip": "chars?", "removeprefix": "prefix", "removesuffix": "suffix",
		"startswith": "prefix start? end?", "endswith": "suffix start? end?", "replace": "old new count?",
		"count": "sub start? end?", "find": "sub start? end?", "rfind": "sub start? end?", "index": "sub start? end?", "rindex": "sub start? end?",
		"zfill": "width", "ljust": "width fillchar?", "rjust": "width fillchar?", "center": "width fillchar?",
		"split": "sep? maxsplit?", "rsplit": "sep? maxsplit?", "partition": "sep", "rpartition": "sep", "splitlines": "keepends?",
	}
	form, ok := params[name]
	m := Method{Params: form, Named: strings.Contains(name, "split")}
	m.call = func(s string, a []any) (any, error) {
		switch name {
		case "strip", "lstrip", "rstrip":
			return stripped(name, s, a[0])
		case "removeprefix", "removesuffix", "count", "find", "rfind", "index", "rindex":
			return parted(name, s, a)
		case "startswith", "endswith":
			return affixed(name, s, a)
		case "replace":
			return replaced(s, a)
		case "split", "rsplit":
			return split(name, s, a)
		case "partition", "rpartition":
			return partition(name, s, a[0])
		case "splitlines":
			return lines(s, a[0])
		}
		return padded(name, s, a)
	}
	return m, ok
}

// text is an argument that must be a text.
func text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", raise("TypeError", "want a text, not a %s", typeOf(v))
	}
	return s, nil
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case string:
		return "str"
	case int64:
		return "int"
	case Other:
		return string(v)
	}
	return "tuple"
}

func stripped(name, s string, chars any) (any, error) {
	in := IsSpace
	if chars != nil {
		cut, err := text(chars)
		if err != nil {
			return nil, err
		}
		in = func(r rune) bool { return strings.ContainsRune(cut, r) }
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, in)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, in)
	}
	return s, nil
}

// bounded refuses the bounds that some methods accept.
func bounded(name string, bounds []any) error {
	for _, v := range bounds {
		if v != nil {
			return fmt.Errorf("%s() with bounds is not read; slice the text", name)
		}
	}
	return nil
}

// parted are the methods with a substring argument; positions count characters.
func parted(name, s string, a []any) (any, error) {
	if err := bounded(name, a[1:]); err != nil {
		return nil, err
	}
	part, err := text(a[0])
	if err != nil {
		return nil, err
	}
	switch name {
	case "removeprefix":
		return strings.TrimPrefix(s, part), nil
	case "removesuffix":
		return strings.TrimSuffix(s, part), nil
	case "count":
		return int64(strings.Count(s, part)), nil
	}
	at := strings.Index(s, part)
	if name[0] == 'r' {
		at = strings.LastIndex(s, part)
	}
	if at < 0 && strings.HasSuffix(name, "index") {
		return nil, raise("ValueError", "substring not found")
	}
	if at < 0 {
		return int64(-1), nil
	}
	return int64(length(s[:at])), nil
}

func affixed(name, s string, a []any) (any, error) {
	if err := bounded(name, a[1:]); err != nil {
		return nil, err
	}
	options, ok := a[0].([]any)
	if !ok {
		options = a[:1]
	}
	for _, o := range options {
		affix, ok := o.(string)
		if !ok {
			return nil, raise("TypeError", "%s first arg must be str or a tuple of str, not %s", name, typeOf(o))
		}
		if name == "startswith" && strings.HasPrefix(s, affix) || name == "endswith" && strings.HasSuffix(s, affix) {
			return true, nil
		}
	}
	return false, nil
}

func replaced(s string, a []any) (any, error) {
	old, err := text(a[0])
	if err != nil {
		return nil, err
	}
	by, err := text(a[1])
	if err != nil {
		return nil, err
	}
	n, err := count(a[2])
	if err != nil {
		return nil, err
	}
	if (strings.Count(s, old)+1)*len(by)+len(s) > MaxText {
		return nil, errLong()
	}
	return strings.Replace(s, old, by, n), nil
}

// count is the maximum number of repetitions; -1 means no limit.
func count(v any) (int, error) {
	switch n := v.(type) {
	case nil:
		return -1, nil
	case int64:
		return int(max(n, -1)), nil
	}
	return 0, raise("TypeError", "'%s' object cannot be interpreted as an integer", typeOf(v))
}

func padded(name, s string, a []any) (any, error) {
	width, ok := a[0].(int64)
	if !ok {
		return nil, raise("TypeError", "'%s' object cannot be interpreted as an integer", typeOf(a[0]))
	}
	if width > 100_000 {
		return nil, errLong()
	}
	fill := " "
	if len(a) > 1 && a[1] != nil {
		if fill, ok = a[1].(string); !ok || length(fill) != 1 {
			return nil, raise("TypeError", "the fill character must be exactly one character long")
		}
	}
	missing := max(int(width)-length(s), 0)
	switch name {
	case "ljust":
		return s + strings.Repeat(fill, missing), nil
	case "rjust":
		return strings.Repeat(fill, missing) + s, nil
	case "center":
		left := missing/2 + missing&int(width)&1
		return strings.Repeat(fill, left) + s + strings.Repeat(fill, missing-left), nil
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[:1] + strings.Repeat("0", missing) + s[1:], nil
	}
	return strings.Repeat("0", missing) + s, nil
}
