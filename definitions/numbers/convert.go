package numbers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// ToInt is int() of a number, or of a text in a base; nil if none is given.
func ToInt(v, base any) (any, error) {
	s, isText := v.(string)
	to, isInt := int64(10), true
	if base != nil {
		to, isInt = Int(base)
	}
	switch {
	case !isInt:
		return nil, &Error{"TypeError", "'%s' object cannot be interpreted as an integer", []any{Kind{base}}}
	case isText:
		return parseInt(s, to)
	case base != nil:
		return nil, &Error{"TypeError", "int() can't convert non-string with explicit base", nil}
	}
	if i, ok := Int(v); ok {
		return i, nil
	}
	f, ok := v.(float64)
	switch {
	case !ok:
		return nil, &Error{"TypeError", "int() argument must be a string or a number, not '%s'", []any{Kind{v}}}
	case math.IsInf(f, 0):
		return nil, &Error{"OverflowError", "cannot convert float infinity to integer", nil}
	case math.IsNaN(f):
		return nil, &Error{"ValueError", "cannot convert float NaN to integer", nil}
	case math.Abs(f) >= 1<<63:
		return nil, ErrBig
	}
	return int64(f), nil
}

// ToFloat is float() of a number or a text.
func ToFloat(v any) (any, error) {
	if s, ok := v.(string); ok {
		return parseFloat(s)
	}
	f, ok := Float(v)
	if !ok {
		return nil, &Error{"TypeError", "float() argument must be a string or a number, not '%s'", []any{Kind{v}}}
	}
	return f, nil
}

// space are the characters around a number that Python ignores.
const space = " \t\n\r\v\f\x1c\x1d\x1e\x1f"

func parseInt(s string, base int64) (any, error) {
	text, plain, err := digits("int", s)
	if err != nil {
		return nil, err
	}
	if base < 2 || base > 36 {
		return nil, fmt.Errorf("int() to base %d is not read", base)
	}
	i, err := strconv.ParseInt(withoutPrefix(plain, base), int(base), 64)
	switch {
	case err != nil && strings.Contains(err.Error(), "range"):
		return nil, ErrBig
	case strings.ContainsRune(text, '_') && base != 10:
		return nil, fmt.Errorf("int() of this text is not read; leave out its underscores")
	case err != nil || strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__"):
		return nil, &Error{"ValueError", "invalid literal for int() with base %d: %s", []any{base, Text(s)}}
	}
	return i, nil
}

// withoutPrefix removes the 0x, 0o or 0b of a base from a text of digits.
func withoutPrefix(s string, base int64) string {
	prefix := map[int64]string{16: "0x", 8: "0o", 2: "0b"}[base]
	digits := strings.TrimLeft(s, "+-")
	rest, ok := strings.CutPrefix(strings.ToLower(digits), prefix)
	if !ok || prefix == "" || rest == "" || rest[0] == '+' || rest[0] == '-' {
		return s
	}
	return s[:len(s)-len(digits)] + rest
}

func parseFloat(s string) (any, error) {
	text, plain, err := digits("float", s)
	if err != nil {
		return nil, err
	}
	if strings.ContainsRune(text, '_') {
		return nil, fmt.Errorf("float() of this text is not read; leave out its underscores")
	}
	if strings.EqualFold(strings.TrimLeft(text, "+-"), "nan") && len(text) < 5 {
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(plain, "xXpP") {
		return nil, &Error{"ValueError", "could not convert string to float: %s", []any{Text(s)}}
	}
	return f, nil
}

// digits is a text without surrounding space, and also without underscores.
func digits(name, s string) (text, plain string, err error) {
	if strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return "", "", fmt.Errorf("%s() of other digits than 0 to 9 is not read", name)
	}
	text = strings.Trim(s, space)
	return text, strings.ReplaceAll(text, "_", ""), nil
}

// Round is round() of a number to a number of digits; without digits, to an
// integer.
func Round(v any, digits int64, given bool) (any, error) {
	if i, ok := Int(v); ok {
		if given && digits < 0 {
			return roundedInt(i, -digits)
		}
		return i, nil
	}
	f, ok := Float(v)
	switch {
	case !ok:
		return nil, nil
	case !given && (math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 1<<62):
		return nil, ErrBig
	case !given:
		return int64(math.RoundToEven(f)), nil
	case digits < 0 || digits > 300:
		return nil, fmt.Errorf("round() of a float to %d digits is not read", digits)
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
	if err != nil {
		return nil, fmt.Errorf("this number cannot be rounded")
	}
	return out, nil
}

// roundedInt rounds to a multiple of a power of ten, half to even.
func roundedInt(i, zeros int64) (any, error) {
	if zeros > 17 {
		return nil, fmt.Errorf("round() to -%d digits is not read", zeros)
	}
	unit := int64(1)
	for range zeros {
		unit *= 10
	}
	down := i / unit * unit
	if i%unit < 0 {
		down -= unit
	}
	over := i - down
	if over*2 > unit || over*2 == unit && down/unit%2 != 0 {
		return Integers("+", down, unit)
	}
	return down, nil
}

// Base formats an integer as hex(), oct() and bin() do.
func Base(i int64, base int) string {
	prefix := map[int]string{16: "0x", 8: "0o", 2: "0b"}[base]
	digits := strconv.FormatInt(i, base)
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		return "-" + prefix + rest
	}
	return prefix + digits
}
