package pytext

import (
	"fmt"
	"strings"
	"unicode"
)

// plain makes a method without arguments; texts with letters that have special
// case rules are refused.
func plain(name string, fn func(s string) any) Method {
	return Method{call: func(s string, _ []any) (any, error) {
		foreign := strings.ContainsFunc(s, isForeign)
		if name == "casefold" && foreign || name != "isascii" && strings.ContainsFunc(s, specialCase) {
			return nil, fmt.Errorf("%s() of these characters is not read; write its result out", name)
		}
		return fn(s), nil
	}}
}

func isForeign(r rune) bool { return r > unicode.MaxASCII }

// specialCase reports whether a letter has a special case rule, like ß, which
// becomes two letters.
func specialCase(r rune) bool {
	switch r {
	case 'ß', 'İ', 'ŉ', 'ǰ', 'ΐ', 'ΰ', 'Σ', 'և':
		return true
	}
	if r >= unicode.MaxASCII && !unicode.Is(unicode.Lu, r) && !unicode.Is(unicode.Ll, r) {
		return !isCaseless(r)
	}
	return unicode.IsTitle(r) || r >= 0x1e96 && r <= 0x1e9e || r >= 0x1f50 && r <= 0x1ffc || r >= 0xfb00 && r <= 0xfb17
}

// isCaseless reports whether a character is a letter without case, a space or a
// symbol, in Python as well.
func isCaseless(r rune) bool {
	if unicode.ToUpper(r) != r || unicode.ToLower(r) != r || r == 'ª' || r == 'º' || r == '·' || r == '\u0387' {
		return false
	}
	return unicode.Is(unicode.Lo, r) || unicode.IsSpace(r) || unicode.IsSymbol(r) || unicode.IsPunct(r) && !unicode.Is(unicode.Pc, r)
}

// caseMethod finds a method that takes no arguments.
func caseMethod(name string) (Method, bool) {
	if change := caseChange(name); change != nil {
		return plain(name, func(s string) any { return change(s) }), true
	}
	if test := textTest(name); test != nil {
		return plain(name, func(s string) any { return test(s) }), true
	}
	return Method{}, false
}

// caseChange finds a method that changes the case of letters.
func caseChange(name string) func(string) string {
	switch name {
	case "lower", "casefold":
		return strings.ToLower
	case "upper":
		return strings.ToUpper
	case "title":
		return titled
	case "capitalize":
		return capitalized
	case "swapcase":
		return func(s string) string { return strings.Map(swapped, s) }
	}
	return nil
}

// textTest finds a method that tests the characters of a text.
func textTest(name string) func(string) bool {
	all := func(ok func(rune) bool) func(string) bool {
		return func(s string) bool { return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !ok(r) }) }
	}
	switch name {
	case "isdigit":
		return all(unicode.IsDigit)
	case "isalpha":
		return all(unicode.IsLetter)
	case "isalnum":
		return all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	case "isspace":
		return all(IsSpace)
	case "isupper":
		return func(s string) bool { return strings.ToUpper(s) == s && strings.ToLower(s) != s }
	case "islower":
		return func(s string) bool { return strings.ToLower(s) == s && strings.ToUpper(s) != s }
	case "isascii":
		return func(s string) bool { return !strings.ContainsFunc(s, isForeign) }
	case "isidentifier":
		return isIdentifier
	}
	return nil
}

func titled(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = !unicode.IsLetter(r)
		if was {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func capitalized(s string) string {
	r := []rune(strings.ToLower(s))
	if len(r) > 0 {
		r[0] = unicode.ToTitle(r[0])
	}
	return string(r)
}

func swapped(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}
