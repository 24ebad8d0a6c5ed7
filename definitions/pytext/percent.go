package pytext

import (
	"fmt"
	"math"
	"strings"
)

// Conversion is the specifier after a % in a %-format.
type Conversion struct {
	// Kind is its letter.
	Kind byte
	spec spec
}

// ParseConversion parses the specifier after a % and its name in brackets; it
// also returns the rest of the format.
func ParseConversion(s string) (Conversion, string, error) {
	f := spec{fill: " ", precision: -1}
	for s != "" && strings.IndexByte("-+ #0", s[0]) >= 0 {
		switch s[0] {
		case '-':
			f.align = '<'
		case '#':
			f.alternate = true
		case '0':
			f.fill = "0"
		default:
			if f.sign != '+' {
				f.sign = s[0]
			}
		}
		s = s[1:]
	}
	f.width, s = leadingInt(s, 0)
	if rest, ok := strings.CutPrefix(s, "."); ok {
		f.precision, s = leadingInt(rest, 0)
	}
	if s == "" {
		return Conversion{}, "", raise("ValueError", "incomplete format")
	}
	if f.kind = s[0]; strings.IndexByte("diouxXeEfFgGrsa", f.kind) < 0 || f.width < 0 || f.precision > 300 {
		return Conversion{}, "", fmt.Errorf("this %%-format is not read; use an f-string")
	}
	return Conversion{f.kind, f}, s[1:], nil
}

// OfText reports whether it formats the text of a value: %s, %r or %a.
func (c Conversion) OfText() bool { return strings.IndexByte("sra", c.Kind) >= 0 }

// Text formats the text of a value.
func (c Conversion) Text(s string) (string, error) {
	f := c.spec
	if f.align != '<' {
		f.align = '>'
	}
	f.kind, f.fill, f.sign, f.alternate = 's', " ", 0, false
	return f.text(s)
}

// Number formats an int64 or a float64; any other value is an error that names
// its kind.
func (c Conversion) Number(v any, kind string) (string, error) {
	f := c.spec
	if f.fill == "0" && f.align != '<' {
		f.align = '='
	} else {
		f.fill = " "
	}
	i, isInt := v.(int64)
	number, isFloat := v.(float64)
	if isInt {
		number = float64(i)
	}
	based := strings.IndexByte("oxX", f.kind) >= 0
	switch {
	case !isInt && (based || !isFloat):
		return "", f.mistyped(kind)
	case strings.IndexByte("eEfFgG", f.kind) >= 0:
		return f.float(number)
	case isFloat && math.Abs(number) < 1<<62:
		i = int64(number)
	case isFloat:
		return "", fmt.Errorf("this integer does not fit 64 bits, which is not read")
	}
	if !based {
		f.kind = 'd'
	}
	return f.whole(i)
}

// mistyped refuses a value of the wrong type for the conversion.
func (f spec) mistyped(kind string) error {
	switch {
	case strings.IndexByte("oxX", f.kind) >= 0:
		return raise("TypeError", "%%%c format: an integer is required, not %s", f.kind, kind)
	case strings.IndexByte("diu", f.kind) >= 0:
		return raise("TypeError", "%%%c format: a real number is required, not %s", f.kind, kind)
	}
	return raise("TypeError", "must be real number, not %s", kind)
}

// whole formats an integer with at least as many digits as the precision.
func (f spec) whole(i int64) (string, error) {
	least := f.precision
	f.precision = -1
	if least < 0 {
		return f.integer(i)
	}
	digits, err := spec{fill: "0", align: '=', width: least, precision: -1, kind: f.kind}.integer(max(i, -i))
	prefix := ""
	if f.alternate && f.kind != 'd' {
		prefix = "0" + string(f.kind)
	}
	return f.number(f.signOf(i < 0)+prefix, digits, "", 3), err
}
