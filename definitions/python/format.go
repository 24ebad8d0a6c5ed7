package python

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

// format joins the parts of an f-string.
func (r *Interpreter) format(s *scope, parts []fpart) (any, error) {
	var b strings.Builder
	var unknown *Unknown // a text is never a definition, so Unknown is harmless
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
		if err := r.charge(1 + len(text)/64); err != nil {
			return nil, err
		}
	}
	if unknown != nil {
		return unknown, nil
	}
	return b.String(), nil
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
				v = pytext.ASCII(s)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return r.formatted(v, spec)
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
		if err := r.charge(len(text)); err != nil {
			return nil, err
		}
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
	switch n := v.(type) {
	case string, float64:
	case bool, int64:
		v, _ = asInt(n)
	default:
		return nil, raise("TypeError", "unsupported format string passed to %s.__format__", TypeName(v))
	}
	return known(pytext.Format(v, text))
}

// known converts a result of package pytext to the language.
func known[T any](v T, err error) (any, error) {
	var e *pytext.PythonError
	if errors.As(err, &e) {
		err = raise(e.Class, "%s", e.Text)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// percent is %-formatting.
func (r *Interpreter) percent(format string, v any) (any, error) {
	if err := r.weigh(format, v); err != nil {
		return nil, err
	}
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
		if err := r.charge(1); err != nil {
			return nil, err
		}
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
	return b.String(), nil
}

// isMapping reports whether a %-format may leave a value unused: Python treats
// anything that can be indexed as a mapping.
func isMapping(v any) bool {
	switch v.(type) {
	case *Dict, *List, Bytes:
		return true
	}
	return false
}

// percentage is a %-format in progress.
type percentage struct {
	run     *Interpreter
	args    []any
	mapping any
	keyed   bool // uses names in parentheses
}

func (p *percentage) next() (any, error) {
	if len(p.args) == 0 {
		return nil, raise("TypeError", "not enough arguments for format string")
	}
	v := p.args[0]
	p.args = p.args[1:]
	return v, nil
}

// conversion parses the part after a % and formats it.
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
	c, rest, err := pytext.ParseConversion(s)
	if err == nil && !given {
		v, err = p.next()
	}
	if err != nil {
		_, err = known("", err)
		return nil, "", err
	}
	out, err := p.run.percented(v, c)
	return out, rest, err
}

func (r *Interpreter) percented(v any, c pytext.Conversion) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if c.OfText() {
		out, err := r.converted(v, c.Kind, "")
		s, ok := out.(string)
		if err != nil || !ok {
			return out, err
		}
		return known(c.Text(s))
	}
	var number any
	if f, ok := Plain(v).(float64); ok {
		number = f
	} else if i, ok := asInt(v); ok {
		number = i
	}
	return known(c.Number(number, TypeName(v)))
}

// formatting is a str.format in progress: filled from the arguments of a call, or
// from a mapping.
type formatting struct {
	run     *Interpreter
	call    *Call
	mapping any
	next    int // number of the next automatic field; -1 after a numbered one
}

// text is str.format with fields {}, {0}, {name}, {0.attr} and {0[key]}, and with
// formats that contain fields.
func (f *formatting) text(s string, depth int) (any, error) {
	var unknown any
	out, err := pytext.Fill(s, depth, func(field string, depth int) (string, bool, error) {
		out, err := f.field(field, depth)
		text, ok := out.(string)
		unknown = out
		return text, ok, err
	})
	if _, ok := unknown.(*Unknown); ok && err == nil {
		return unknown, nil
	}
	return known(out, err)
}

func (f *formatting) field(field string, depth int) (any, error) {
	if err := f.run.charge(1); err != nil {
		return nil, err
	}
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

// follow evaluates the .name and [key] parts of a field.
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

// argument returns the value that a field names.
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
