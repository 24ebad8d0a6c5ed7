package pytext

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Format is format(v, text) of a string, an int64 or a float64; the text is not
// empty.
func Format(v any, text string) (string, error) {
	s, isText := v.(string)
	f, ok := parseSpec(text, !isText)
	if !ok {
		return "", fmt.Errorf("the format %q is not read; write the text out", text)
	}
	switch v := v.(type) {
	case int64:
		return f.integer(v)
	case float64:
		return f.float(v)
	}
	return f.text(s)
}

// spec is a parsed format specification.
type spec struct {
	fill      string
	align     byte // 0 for the default of the type
	sign      byte
	alternate bool
	width     int
	grouping  byte
	precision int // -1 if absent
	kind      byte
}

// parseSpec reads [[fill]align][sign][#][0][width][grouping][.precision][type].
func parseSpec(s string, number bool) (spec, bool) {
	out := spec{fill: " ", precision: -1}
	s, filled := out.readAlign(s)
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		out.sign, s = s[0], s[1:]
	}
	if rest, ok := strings.CutPrefix(s, "#"); ok {
		out.alternate, s = true, rest
	}
	if rest, ok := strings.CutPrefix(s, "0"); ok && !filled {
		out.fill, s = "0", rest
		if out.align == 0 && number {
			out.align = '='
		}
	}
	s, ok := out.readSizes(s)
	if ok && s != "" {
		out.kind, s = s[0], s[1:]
	}
	return out, ok && s == "" && strings.IndexByte("\x00bcdeEfFgGnosxX%", out.kind) >= 0
}

// readAlign reads [[fill]align].
func (f *spec) readAlign(s string) (rest string, filled bool) {
	const aligns = "<>=^"
	r := []rune(s)
	switch {
	case len(r) > 1 && strings.ContainsRune(aligns, r[1]):
		f.fill, f.align = string(r[0]), byte(r[1])
		return string(r[2:]), true
	case s != "" && strings.IndexByte(aligns, s[0]) >= 0:
		f.align = s[0]
		return s[1:], false
	}
	return s, false
}

// readSizes parses [width][grouping][.precision]; it returns false if a number is
// missing or too large.
func (f *spec) readSizes(s string) (rest string, ok bool) {
	f.width, s = leadingInt(s, 0)
	if s != "" && (s[0] == ',' || s[0] == '_') {
		f.grouping, s = s[0], s[1:]
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if f.precision, s = leadingInt(rest, -1); f.precision < 0 || f.precision > 300 {
			return "", false
		}
	}
	return s, f.width >= 0
}

// leadingInt parses the digits at the start of a text; -1 means too large.
func leadingInt(s string, none int) (int, string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n == 0 {
		return none, s
	}
	v, err := strconv.Atoi(s[:n])
	if err != nil || v > 100_000 {
		v = -1
	}
	return v, s[n:]
}

func (f spec) text(s string) (string, error) {
	if f.kind != 0 && f.kind != 's' {
		return "", raise("ValueError", "Unknown format code '%c' for object of type 'str'", f.kind)
	}
	if f.sign != 0 || f.grouping != 0 || f.alternate || f.align == '=' {
		return "", raise("ValueError", "this format is for numbers, and the value is a str")
	}
	if r := []rune(s); f.precision >= 0 && len(r) > f.precision {
		s = string(r[:f.precision])
	}
	return f.pad("", s, '<'), nil
}

// pad fills a text to the width.
func (f spec) pad(sign, s string, normal byte) string {
	missing := max(f.width-length(sign)-length(s), 0)
	align := f.align
	if align == 0 {
		align = normal
	}
	switch align {
	case '<':
		return sign + s + strings.Repeat(f.fill, missing)
	case '^':
		return strings.Repeat(f.fill, missing/2) + sign + s + strings.Repeat(f.fill, missing-missing/2)
	case '=':
		return sign + strings.Repeat(f.fill, missing) + s
	}
	return strings.Repeat(f.fill, missing) + sign + s
}

func (f spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+' || f.sign == ' ':
		return string(f.sign)
	}
	return ""
}

func (f spec) integer(i int64) (string, error) {
	base, prefix, size := 10, "", 3
	switch f.kind {
	case 0, 'd', 'n':
	case 'x', 'X':
		base, prefix, size = 16, "0x", 4
	case 'o':
		base, prefix, size = 8, "0o", 4
	case 'b':
		base, prefix, size = 2, "0b", 4
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		return f.float(float64(i))
	case 'c':
		return "", fmt.Errorf("the format type 'c' is not read; use chr()")
	default:
		return "", raise("ValueError", "Unknown format code '%c' for object of type 'int'", f.kind)
	}
	if f.precision >= 0 || f.grouping == ',' && base != 10 || f.grouping != 0 && f.kind == 'n' {
		return "", raise("ValueError", "Precision not allowed in integer format specifier")
	}
	digits := strings.TrimPrefix(strconv.FormatInt(i, base), "-")
	if f.kind == 'X' {
		digits, prefix = strings.ToUpper(digits), "0X"
	}
	if !f.alternate {
		prefix = ""
	}
	return f.number(f.signOf(i < 0)+prefix, digits, "", size), nil
}

// number assembles a number: its sign, the grouped digits before the point, and
// the rest. Fill zeros are grouped, too.
func (f spec) number(sign, digits, rest string, size int) string {
	if f.fill == "0" && f.align == '=' {
		room := f.width - len(sign) - len(rest)
		for f.grouping != 0 && len(digits)+max(len(digits)-1, 0)/size < room || f.grouping == 0 && len(digits) < room {
			digits = "0" + digits
		}
	}
	if f.grouping != 0 {
		for i := len(digits) - size; i > 0; i -= size {
			digits = digits[:i] + string(f.grouping) + digits[i:]
		}
	}
	return f.pad(sign, digits+rest, '>')
}

func (f spec) float(v float64) (string, error) {
	precision := f.precision
	if precision < 0 {
		precision = 6
	}
	negative := math.Signbit(v) && !math.IsNaN(v)
	v = math.Abs(v)
	tail := ""
	if f.kind == '%' {
		v *= 100
		tail = "%"
	}
	s, err := f.magnitude(v, precision)
	if err != nil {
		return "", err
	}
	if f.grouping != 0 && f.kind == 'n' {
		return "", raise("ValueError", "Cannot specify '%c' with 'n'.", f.grouping)
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		if f.grouping != 0 {
			return "", fmt.Errorf("this format of %s is not read; write the text out", Float(v))
		}
		s = Float(v)
	}
	if f.kind == 'E' || f.kind == 'F' || f.kind == 'G' {
		s = strings.ToUpper(s)
	}
	whole := 0
	for whole < len(s) && isDigit(s[whole]) {
		whole++
	}
	return f.number(f.signOf(negative), s[:whole], s[whole:]+tail, 3), nil
}

// magnitude formats a float without sign in the style of the kind.
func (f spec) magnitude(v float64, precision int) (string, error) {
	switch f.kind {
	case '%', 'f', 'F':
		return f.fixed(v, precision), nil
	case 'e', 'E':
		return f.scientific(v, precision), nil
	case 'g', 'G', 'n':
		return f.general(v, precision, 0), nil
	case 0:
		if f.precision >= 0 {
			return f.general(v, precision, 1), nil
		}
		if f.alternate {
			return "", fmt.Errorf("this format is not read; name the type, as in .2f")
		}
		return Float(v), nil
	}
	return "", raise("ValueError", "Unknown format code '%c' for object of type 'float'", f.kind)
}

func (f spec) fixed(v float64, precision int) string {
	s := strconv.FormatFloat(v, 'f', precision, 64)
	if f.alternate && precision == 0 {
		s += "."
	}
	return s
}

func (f spec) scientific(v float64, precision int) string {
	s := strconv.FormatFloat(v, 'e', precision, 64)
	if f.alternate && precision == 0 {
		s = strings.Replace(s, "e", ".e", 1)
	}
	return s
}

// general is the format g: with dot 1 it has a point, like the text of a float.
func (f spec) general(v float64, precision, dot int) string {
	precision = max(precision, 1)
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', precision-1, 64), "e")
	point, err := strconv.Atoi(exponent)
	if err != nil {
		return Float(v)
	}
	strip := func(s string) string {
		if f.alternate {
			if !strings.Contains(s, ".") {
				s += "."
			}
			return s
		}
		if strings.Contains(s, ".") {
			s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	if point < -4 || point >= precision-dot {
		return strip(mantissa) + "e" + exponent
	}
	s := strip(strconv.FormatFloat(v, 'f', max(precision-1-point, 0), 64))
	if dot == 1 && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
