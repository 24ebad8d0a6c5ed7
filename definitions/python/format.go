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
	align     byte // 0 for the one of the type
	sign      byte
	alternate bool
	width     int
	grouping  byte
	precision int // -1 without one
	kind      byte
}

// parseSpec reads [[fill]align][sign][#][0][width][grouping][.precision][type].
func parseSpec(s string, number bool) (spec, bool) {
	out := spec{fill: " ", precision: -1}
	r := []rune(s)
	filled := false
	if len(r) > 1 && strings.ContainsRune("<>=^", r[1]) {
		out.fill, out.align, s, filled = string(r[0]), byte(r[1]), string(r[2:]), true
	} else if s != "" && strings.IndexByte("<>=^", s[0]) >= 0 {
		out.align, s = s[0], s[1:]
	}
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
	out.width, s = leadingInt(s, 0)
	if s != "" && (s[0] == ',' || s[0] == '_') {
		out.grouping, s = s[0], s[1:]
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if out.precision, s = leadingInt(rest, -1); out.precision < 0 || out.precision > 300 {
			return out, false
		}
	}
	if s != "" {
		out.kind, s = s[0], s[1:]
	}
	return out, s == "" && out.width >= 0 && strings.IndexByte("\x00bcdeEfFgGnosxX%", out.kind) >= 0
}

// leadingInt reads the digits that a text begins with; -1 is one too large.
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
	if o, ok := v.(Formatted); ok {
		return o.Format(text)
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
	_, number := asFloat(v)
	f, ok := parseSpec(text, number)
	if !ok {
		return nil, fmt.Errorf("the format %q is not read; write the text out", text)
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
	if f.kind != 0 && f.kind != 's' {
		return nil, raise("ValueError", "Unknown format code '%c' for object of type 'str'", f.kind)
	}
	if f.sign != 0 || f.grouping != 0 || f.alternate || f.align == '=' {
		return nil, raise("ValueError", "this format is for numbers, and the value is a str")
	}
	if r := []rune(s); f.precision >= 0 && len(r) > f.precision {
		s = string(r[:f.precision])
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
		return nil, fmt.Errorf("the format type 'c' is not read; use chr()")
	default:
		return nil, raise("ValueError", "Unknown format code '%c' for object of type 'int'", f.kind)
	}
	if f.precision >= 0 || f.grouping == ',' && base != 10 || f.grouping != 0 && f.kind == 'n' {
		return nil, raise("ValueError", "Precision not allowed in integer format specifier")
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

// number puts a number together: its sign, the digits before the point, which
// are grouped, and the rest. Zeros that fill are grouped too.
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

func (f spec) float(v float64) (any, error) {
	precision := f.precision
	if precision < 0 {
		precision = 6
	}
	negative := math.Signbit(v) && !math.IsNaN(v)
	v = math.Abs(v)
	tail := ""
	var s string
	switch f.kind {
	case '%':
		v *= 100
		tail = "%"
		s = f.fixed(v, precision)
	case 'f', 'F':
		s = f.fixed(v, precision)
	case 'e', 'E':
		s = f.scientific(v, precision)
	case 'g', 'G', 'n':
		s = f.general(v, precision, 0)
	case 0:
		if s = floatText(v); f.precision >= 0 {
			s = f.general(v, precision, 1)
		} else if f.alternate {
			return nil, fmt.Errorf("this format is not read; name the type, as in .2f")
		}
	default:
		return nil, raise("ValueError", "Unknown format code '%c' for object of type 'float'", f.kind)
	}
	if f.grouping != 0 && f.kind == 'n' {
		return nil, raise("ValueError", "Cannot specify '%c' with 'n'.", f.grouping)
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		if f.grouping != 0 {
			return nil, fmt.Errorf("this format of %s is not read; write the text out", floatText(v))
		}
		s = floatText(v)
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

// general is the format g: with dot 1 it has a point, as the text of a float.
func (f spec) general(v float64, precision, dot int) string {
	precision = max(precision, 1)
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', precision-1, 64), "e")
	point, err := strconv.Atoi(exponent)
	if err != nil {
		return floatText(v)
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

// percent is the old formatting of text by %.
func (r *Interpreter) percent(format string, v any) (any, error) {
	args := []any{v}
	if t, ok := tupleOf(v).(Tuple); ok {
		args = t
	}
	if o, ok := v.(*Instance); ok && o.tuple != nil {
		args = o.tuple
	}
	var b strings.Builder
	p := percentage{run: r, args: args, mapping: v}
	for {
		before, rest, found := strings.Cut(format, "%")
		b.WriteString(before)
		if !found {
			break
		}
		out, after, err := p.conversion(rest)
		text, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		b.WriteString(text)
		if format = after; b.Len() > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	if len(p.args) > 0 && !p.keyed && !isMapping(v) {
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

// percentage is a %-format that is being filled.
type percentage struct {
	run     *Interpreter
	args    []any
	mapping any
	keyed   bool // by names in brackets
}

func (p *percentage) next() (any, error) {
	if len(p.args) == 0 {
		return nil, raise("TypeError", "not enough arguments for format string")
	}
	v := p.args[0]
	p.args = p.args[1:]
	return v, nil
}

// conversion reads what stands behind a %, and fills it.
func (p *percentage) conversion(s string) (any, string, error) {
	var v any
	given := false
	if strings.HasPrefix(s, "%") {
		return "%", s[1:], nil
	}
	if strings.HasPrefix(s, "(") {
		name, after, ok := strings.Cut(s[1:], ")")
		if _, isDict := p.mapping.(*Dict); !ok || !isDict || strings.Contains(name, "(") {
			return nil, "", raise("TypeError", "format requires a mapping")
		}
		var err error
		if v, err = p.run.item(p.mapping, name); err != nil {
			return nil, "", err
		}
		s, given, p.keyed = after, true, true
	}
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
		return nil, "", raise("ValueError", "incomplete format")
	}
	if f.kind = s[0]; strings.IndexByte("diouxXeEfFgGcrsa", f.kind) < 0 || f.width < 0 || f.precision > 300 || f.kind == 'c' {
		return nil, "", fmt.Errorf("this %%-format is not read; use an f-string")
	}
	var err error
	if !given {
		v, err = p.next()
	}
	if err != nil {
		return nil, "", err
	}
	out, err := p.run.percented(v, f)
	return out, s[1:], err
}

func (r *Interpreter) percented(v any, f spec) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	left := f.align == '<'
	switch f.kind {
	case 's', 'r', 'a':
		out, err := r.converted(v, f.kind, "")
		s, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		if !left {
			f.align = '>'
		}
		f.kind, f.fill, f.sign, f.alternate = 's', " ", 0, false
		return f.text(s)
	}
	if f.fill == "0" && !left {
		f.align = '='
	} else {
		f.fill = " "
	}
	number, ok := asFloat(v)
	switch {
	case !ok && strings.IndexByte("diu", f.kind) >= 0:
		return nil, raise("TypeError", "%%%c format: a real number is required, not %s", f.kind, TypeName(v))
	case !ok && strings.IndexByte("oxX", f.kind) >= 0:
		return nil, raise("TypeError", "%%%c format: an integer is required, not %s", f.kind, TypeName(v))
	case !ok:
		return nil, raise("TypeError", "must be real number, not %s", TypeName(v))
	case strings.IndexByte("eEfFgG", f.kind) >= 0:
		return f.float(number)
	}
	i, isInt := asInt(v)
	switch {
	case !isInt && strings.IndexByte("oxX", f.kind) >= 0:
		return nil, raise("TypeError", "%%%c format: an integer is required, not %s", f.kind, TypeName(v))
	case !isInt && math.Abs(number) < 1<<62:
		i = int64(number)
	case !isInt:
		return nil, errBig()
	}
	if f.kind == 'i' || f.kind == 'u' {
		f.kind = 'd'
	}
	least := f.precision
	f.precision = -1
	if least < 0 {
		return f.integer(i)
	}
	plain, err := spec{fill: "0", align: '=', width: least, precision: -1, kind: f.kind}.integer(max(i, -i))
	if f.kind == 'd' {
		f.alternate = false
	}
	prefix := map[byte]string{'x': "0x", 'X': "0X", 'o': "0o"}[f.kind]
	if !f.alternate {
		prefix = ""
	}
	return f.number(f.signOf(i < 0)+prefix, Str(plain), "", 3), err
}

// formatting is a str.format that is being filled: by the arguments of a call,
// or by a mapping.
type formatting struct {
	run     *Interpreter
	call    *Call
	mapping any
	next    int // the number of the next field without one; -1 after one with
}

// formatText is str.format with fields {}, {0}, {name}, {0.attr} and {0[key]},
// and formats that hold fields.
func (f *formatting) text(s string, depth int) (any, error) {
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
			return nil, raise("ValueError", "Single '%c' encountered in format string", s[0])
		}
		if depth > 1 {
			return nil, raise("ValueError", "Max string recursion exceeded")
		}
		out, err := f.field(s[1:end], depth)
		text, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		b.WriteString(text)
		if s = s[end+1:]; b.Len() > maxText {
			return nil, fmt.Errorf("this text is too long")
		}
	}
	return b.String(), f.run.charge(b.Len() / 64)
}

// closing finds the brace that closes the one a text begins with.
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

func (f *formatting) field(field string, depth int) (any, error) {
	field, spec, _ := strings.Cut(field, ":")
	field, conversion, converted := strings.Cut(field, "!")
	if strings.ContainsAny(field, "{}") || strings.Contains(field, "[") && !strings.Contains(field, "]") {
		return nil, fmt.Errorf("this field of a format is not read; use an f-string")
	}
	path := field
	if i := strings.IndexAny(field, ".["); i >= 0 {
		path = field[:i]
	}
	v, err := f.argument(path)
	if err == nil {
		v, err = f.follow(v, field[len(path):])
	}
	if err != nil {
		return nil, err
	}
	if converted && (len(conversion) != 1 || strings.IndexByte("rsa", conversion[0]) < 0) {
		return nil, raise("ValueError", "Unknown conversion specifier")
	}
	kind := byte(0)
	if converted {
		kind = conversion[0]
	}
	if strings.ContainsAny(spec, "{}") {
		inner, err := f.text(spec, depth+1)
		text, ok := inner.(string)
		if err != nil || !ok {
			return inner, err
		}
		spec = text
	}
	return f.run.converted(v, kind, spec)
}

// follow goes on by .name and [key].
func (f *formatting) follow(v any, rest string) (any, error) {
	for rest != "" {
		var err error
		if name, ok := strings.CutPrefix(rest, "."); ok {
			end := strings.IndexAny(name, ".[")
			if end < 0 {
				end = len(name)
			}
			v, err = f.run.attribute(v, name[:end])
			rest = name[end:]
		} else {
			key, after, ok := strings.Cut(rest[1:], "]")
			if rest[0] != '[' || !ok || key == "" {
				return nil, raise("ValueError", "expected '}' before end of string")
			}
			var index any = key
			if n, err := strconv.ParseUint(key, 10, 62); err == nil {
				index = int64(n)
			}
			v, err = f.run.item(v, index)
			rest = after
		}
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

// argument gives the value that a field names.
func (f *formatting) argument(name string) (any, error) {
	at, err := strconv.ParseUint(name, 10, 31)
	switch {
	case f.mapping != nil && (err == nil || name == ""):
		return nil, raise("ValueError", "Format string contains positional fields")
	case f.mapping != nil:
		return f.run.item(f.mapping, name)
	case name == "" && f.next >= 0:
		at, err = uint64(f.next), nil
		f.next++
	case name == "" || err == nil && f.next > 0:
		return nil, raise("ValueError", "cannot switch between automatic field numbering and manual field specification")
	case err == nil:
		f.next = -1
	}
	if err != nil {
		if v, ok := f.call.Arg(name); ok {
			return v, nil
		}
		return nil, raiseKey(name)
	}
	if at >= uint64(len(f.call.Args)) {
		return nil, raise("IndexError", "Replacement index %d out of range for positional args tuple", at)
	}
	return f.call.Args[at], nil
}
