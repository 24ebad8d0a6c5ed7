package transform

import (
	"strings"
	"unicode"

	xcases "golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// upper is Python's str.upper, with the characters that become several.
func upper(s string) string {
	if simple(s) {
		return strings.ToUpper(s)
	}
	return xcases.Upper(language.Und).String(s)
}

// lower is Python's str.lower, with the sigma at the end of words.
func lower(s string) string {
	if simple(s) {
		return strings.ToLower(s)
	}
	return xcases.Lower(language.Und).String(s)
}

// simple reports whether every character has a mapping to one character, whatever
// is around it.
func simple(s string) bool {
	if ascii(s) {
		return true
	}
	for _, r := range s {
		if r == 'Σ' || r == 'İ' || r >= 0x80 && unicode.ToUpper(r) == r && unicode.IsLower(r) || r >= 0x1f00 && r < 0x2000 || r == 'ŉ' || r == 'ǰ' || r == 'ΐ' || r == 'ΰ' {
			return false
		}
	}
	return true
}

// casing are the methods of str with a function of their own here.
var casing = map[string]func(string) string{"upper": upper, "lower": lower}
