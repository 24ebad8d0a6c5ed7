package python

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// format joins the pieces of an f-string.
func (r *Interpreter) format(s *scope, parts []fpart) (any, error) {
	var b strings.Builder
	var unknown *Unknown // its text cannot be a definition, whatever it is of
	for _, p := range parts {
		if p.value == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := r.eval(s, p.value)
		if err != nil {
			return nil, err
		}
		spec := ""
		if p.format != nil {
			out, err := r.format(s, p.format)
			if err != nil {
				return nil, err
			}
			text, ok := out.(string)
			if !ok {
				unknown, _ = out.(*Unknown)
				continue
			}
			spec = text
		}
		out, err := r.converted(v, p.repr, spec)
		if err != nil {
			return nil, s.locate(p.value.pos(), err)
		}
		text, ok := out.(string)
		if u, isUnknown := out.(*Unknown); !ok && isUnknown {
			unknown = &Unknown{Why: u.Why, Trust: Harmless}
			continue
		}
		b.WriteString(text)
		if b.Len() > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	if unknown != nil {
		return unknown, nil
	}
	return b.String(), r.charge(b.Len() / 64)
}

// converted applies !r, !s or !a and a format: a text or Unknown.
func (r *Interpreter) converted(v any, conversion byte, spec string) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	var err error
	switch conversion {
	case 'r':
		v, err = r.repr(v)
	case 's':
		v, err = r.str(v)
	case 'a':
		if v, err = r.repr(v); err == nil {
			if s, ok := v.(string); ok {
				v = asciiText(s)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return r.formatted(v, spec)
}

// asciiText escapes what is not ASCII.
func asciiText(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c < 0x80:
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	return b.String()
}

// spec is a parsed format specification.
type spec struct {
	fill      string
	align     byte
	sign      byte
	alternate bool
	width     int
	grouping  byte
	precision int // -1 without one
	kind      byte
}

// parseSpec reads [[fill]align][sign][#][0][width][grouping][.precision][type].
func parseSpec(s string) (spec, bool) {
	out := spec{fill: " ", precision: -1}
	r := []rune(s)
	if len(r) > 1 && strings.ContainsRune("<>=^", r[1]) {
		out.fill, out.align, s = string(r[0]), byte(r[1]), string(r[2:])
	} else if s != "" && strings.IndexByte("<>=^", s[0]) >= 0 {
		out.align, s = s[0], s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		out.sign, s = s[0], s[1:]
	}
	if rest, ok := strings.CutPrefix(s, "#"); ok {
		out.alternate, s = true, rest
	}
	if rest, ok := strings.CutPrefix(s, "0"); ok {
		s = rest
		if out.align == 0 {
			out.fill, out.align = "0", '='
		}
	}
	digits := func() int {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		v, err := strconv.Atoi(s[:n])
		if err != nil || v > 100_000 {
			v = -1
		}
		s = s[n:]
		return v
	}
	if s != "" && isDigit(s[0]) {
		if out.width = digits(); out.width < 0 {
			return out, false
		}
	}
	if s != "" && (s[0] == ',' || s[0] == '_') {
		out.grouping, s = s[0], s[1:]
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		s = rest
		if out.precision = digits(); out.precision < 0 || out.precision > 300 {
			return out, false
		}
	}
	if s != "" {
		out.kind, s = s[0], s[1:]
	}
	return out, s == ""
}

// formatted is format(v, spec): a text or Unknown.
func (r *Interpreter) formatted(v any, text string) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if o, ok := v.(*Instance); ok {
		if m := o.special("__format__"); m != nil {
			return r.invoke(m, &Call{Args: []any{text}})
		}
	}
	if text == "" {
		return r.str(v)
	}
	if _, ok := v.(Datetime); ok {
		return &Unknown{Why: "a datetime by format " + text}, nil
	}
	f, ok := parseSpec(text)
	if !ok {
		return nil, fmt.Errorf("the format %q is not read; write the text out", text)
	}
	if o, ok := v.(*Instance); ok && o.Class.enum != nil && o.Class.enum.plainText {
		v = o.plain()
	} else if ok && o.Class.enum != nil {
		s, err := r.str(o)
		if err != nil {
			return nil, err
		}
		v = s
	}
	switch v := v.(type) {
	case string:
		return f.text(v)
	case int64:
		return f.integer(v)
	case bool:
		i, _ := asInt(v)
		return f.integer(i)
	case float64:
		return f.float(v)
	case *Unknown:
		return v, nil
	}
	return nil, raise("TypeError", "unsupported format string passed to %s.__format__", TypeName(v))
}

func (f spec) text(s string) (any, error) {
	if f.kind != 0 && f.kind != 's' || f.sign != 0 || f.grouping != 0 {
		return nil, raise("ValueError", "this format is for numbers, and the value is a str")
	}
	if f.align == '=' && f.fill != "0" {
		return nil, raise("ValueError", "'=' alignment not allowed in string format specifier")
	}
	if r := []rune(s); f.precision >= 0 && len(r) > f.precision {
		s = string(r[:f.precision])
	}
	if f.align == '=' {
		f.align = '<'
	}
	return f.pad("", s, '<'), nil
}

// pad fills to the width.
func (f spec) pad(sign, s string, normal byte) string {
	missing := max(f.width-len([]rune(sign))-len([]rune(s)), 0)
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

func (f spec) integer(i int64) (any, error) {
	base, prefix := 10, ""
	switch f.kind {
	case 0, 'd', 'n':
	case 'x', 'X':
		base, prefix = 16, "0x"
	case 'o':
		base, prefix = 8, "0o"
	case 'b':
		base, prefix = 2, "0b"
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		return f.float(float64(i))
	default:
		return nil, raise("ValueError", "Unknown format code '%c' for object of type 'int'", f.kind)
	}
	if f.precision >= 0 {
		return nil, raise("ValueError", "Precision not allowed in integer format specifier")
	}
	digits := strings.TrimPrefix(strconv.FormatInt(i, base), "-")
	if f.kind == 'X' {
		digits, prefix = strings.ToUpper(digits), "0X"
	}
	if !f.alternate {
		prefix = ""
	}
	if f.grouping != 0 && base != 10 || f.grouping != 0 && f.fill == "0" && f.align == '=' {
		return nil, fmt.Errorf("this format is not read; write the text out")
	}
	return f.pad(f.signOf(i < 0)+prefix, f.group(digits), '>'), nil
}

// group separates the digits before the point by threes.
func (f spec) group(s string) string {
	if f.grouping == 0 {
		return s
	}
	whole, rest := s, ""
	if i := strings.IndexAny(s, ".e%"); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + string(f.grouping) + whole[i:]
	}
	return whole + rest
}

func (f spec) float(v float64) (any, error) {
	if f.alternate || math.IsNaN(v) || math.IsInf(v, 0) || f.grouping != 0 && f.fill == "0" && f.align == '=' {
		return nil, fmt.Errorf("this format is not read; write the text out")
	}
	precision := f.precision
	if precision < 0 {
		precision = 6
	}
	negative := math.Signbit(v)
	v = math.Abs(v)
	var s string
	switch f.kind {
	case 'f', 'F':
		s = strconv.FormatFloat(v, 'f', precision, 64)
	case '%':
		s = strconv.FormatFloat(v*100, 'f', precision, 64) + "%"
	case 'e', 'E':
		s = strconv.FormatFloat(v, f.kind, precision, 64)
	case 0:
		if f.precision >= 0 {
			return nil, fmt.Errorf("this format is not read; name the type, as in .2f")
		}
		s = floatText(v)
	case 'd', 'x', 'X', 'o', 'b', 'c', 's':
		return nil, raise("ValueError", "Unknown format code '%c' for object of type 'float'", f.kind)
	default:
		return nil, fmt.Errorf("the format type '%c' is not read; use f", f.kind)
	}
	return f.pad(f.signOf(negative), f.group(s), '>'), nil
}

// percent is the old formatting of text: %s, %d, %r, %i and %.2f.
func (r *Interpreter) percent(format string, v any) (any, error) {
	args := []any{v}
	if t, ok := tupleOf(v).(Tuple); ok {
		args = t
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i+1 == len(format) {
			return nil, raise("ValueError", "incomplete format")
		}
		end := i + 1
		for end < len(format)-1 && strings.IndexByte("0123456789.", format[end]) >= 0 {
			end++
		}
		flags, kind := format[i+1:end], format[end]
		i = end
		if kind == '%' {
			b.WriteByte('%')
			continue
		}
		if strings.IndexByte("sdrif", kind) < 0 || flags != "" && kind != 'f' && kind != 'd' {
			return nil, fmt.Errorf("this %%-format is not read; use an f-string")
		}
		if len(args) == 0 {
			return nil, raise("TypeError", "not enough arguments for format string")
		}
		out, err := r.percented(args[0], flags, kind)
		text, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		b.WriteString(text)
		args = args[1:]
	}
	if len(args) > 0 && !isMapping(v) {
		return nil, raise("TypeError", "not all arguments converted during string formatting")
	}
	return b.String(), r.charge(b.Len() / 64)
}

// isMapping reports whether a value may be left over by a %-format: Python
// takes what can be indexed for a mapping.
func isMapping(v any) bool {
	switch v.(type) {
	case *Dict, *List, Bytes:
		return true
	}
	return false
}

func (r *Interpreter) percented(v any, flags string, kind byte) (any, error) {
	switch kind {
	case 's':
		return r.converted(v, 's', "")
	case 'r':
		return r.converted(v, 'r', "")
	case 'd', 'i':
		i, ok := asInt(v)
		if f, isFloat := v.(float64); isFloat && math.Abs(f) < 1<<62 {
			i, ok = int64(f), true
		}
		if !ok {
			return nil, raise("TypeError", "%%d format: a real number is required, not %s", TypeName(v))
		}
		return r.formatted(i, flags+"d")
	}
	if _, ok := asFloat(v); !ok {
		return nil, raise("TypeError", "must be real number, not %s", TypeName(v))
	}
	return r.formatted(v, flags+"f")
}

// formatText is str.format with fields {}, {0}, {name}, {0.attr} and {0[key]}.
func (r *Interpreter) formatText(s string, c *Call) (any, error) {
	var b strings.Builder
	next := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}") {
			b.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if s[0] == '}' || end < 0 {
			return nil, raise("ValueError", "Single '%c' encountered in format string", s[0])
		}
		out, err := r.formatField(s[1:end], c, &next)
		text, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		b.WriteString(text)
		if s = s[end+1:]; b.Len() > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	return b.String(), r.charge(b.Len() / 64)
}

func (r *Interpreter) formatField(field string, c *Call, next *int) (any, error) {
	if strings.Contains(field, "{") {
		return nil, fmt.Errorf("a format within a format is not read; use an f-string")
	}
	field, spec, _ := strings.Cut(field, ":")
	field, conversion, converted := strings.Cut(field, "!")
	path := field
	if i := strings.IndexAny(field, ".["); i >= 0 {
		path = field[:i]
	}
	v, err := c.field(path, next)
	if err != nil {
		return nil, err
	}
	for rest := field[len(path):]; rest != ""; {
		if name, ok := strings.CutPrefix(rest, "."); ok {
			end := strings.IndexAny(name, ".[")
			if end < 0 {
				end = len(name)
			}
			v, err = r.attribute(v, name[:end])
			rest = name[end:]
		} else {
			key, after, ok := strings.Cut(rest[1:], "]")
			if rest[0] != '[' || !ok {
				return nil, raise("ValueError", "expected '}' before end of string")
			}
			var index any = key
			if n, err := strconv.ParseInt(key, 10, 64); err == nil {
				index = n
			}
			v, err = r.item(v, index)
			rest = after
		}
		if err != nil {
			return nil, err
		}
	}
	if converted && (len(conversion) != 1 || strings.IndexByte("rsa", conversion[0]) < 0) {
		return nil, raise("ValueError", "Unknown conversion specifier")
	}
	kind := byte(0)
	if converted {
		kind = conversion[0]
	}
	return r.converted(v, kind, spec)
}

func (c *Call) field(name string, next *int) (any, error) {
	if v, ok := c.Arg(name); ok {
		return v, nil
	}
	at, err := strconv.Atoi(name)
	if name == "" {
		at, err = *next, nil
		*next++
	}
	if err != nil {
		return nil, raise("KeyError", "format() has no field %q", name)
	}
	if at < 0 || at >= len(c.Args) {
		return nil, raise("IndexError", "format() has no field %d", at)
	}
	return c.Args[at], nil
}
