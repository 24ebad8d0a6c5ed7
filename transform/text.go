package transform

import (
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
	"github.com/banquet-fs/banquet/definitions/syntax"
)

func itoa(i int64) string { return strconv.FormatInt(i, 10) }

// str is str(v).
func str(v val) (string, error) { return strNested(v, 0) }

func strNested(v val, depth int) (string, error) {
	switch v.k {
	case kText:
		return v.s, nil
	case kNone:
		return "None", nil
	case kBool:
		if v.i != 0 {
			return "True", nil
		}
		return "False", nil
	case kInt:
		return itoa(v.i), nil
	case kFloat:
		if v.w == dFloat32 {
			return "", outside("a float32 as text is not supported; convert it to float64 first")
		}
		return pytext.Float(v.f), nil
	case kNaT:
		return "NaT", nil
	case kList, kTuple:
		return strList(v, depth)
	case kTime:
		return strTime(v), nil
	}
	return "", outside("a %s as text is not supported", v.typeName())
}

func strList(v val, depth int) (string, error) {
	if depth > maxNested {
		return "", outside("lists nested so deep are not supported")
	}
	var b strings.Builder
	open, end := "[", "]"
	if v.k == kTuple {
		open, end = "(", ")"
	}
	b.WriteString(open)
	all := v.ref.(*list).items
	for i, x := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		if x.isNumber() && x.w != dNone {
			return "", outside("a list of numpy numbers as text is not supported")
		}
		if x.k == kText {
			b.WriteString(repr(x))
			continue
		}
		s, err := strNested(x, depth+1)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
		if b.Len() > maxText {
			return "", tooMuch("the text is longer than %d bytes", maxText)
		}
	}
	if v.k == kTuple && len(all) == 1 {
		b.WriteString(",")
	}
	b.WriteString(end)
	return b.String(), nil
}

// repr shows a value in an error.
func repr(v val) string {
	if v.k == kText {
		return pytext.Quote(v.s)
	}
	s, err := str(v)
	if err != nil {
		return v.typeName()
	}
	return s
}

func (c *compiler) fstring(e *syntax.FString) code {
	parts := make([]textPart, len(e.Parts))
	for i, p := range e.Parts {
		parts[i] = textPart{text: p.Text, convert: p.Convert}
		if p.Value == nil {
			continue
		}
		parts[i].value = c.expr(p.Value)
		for _, f := range p.Format {
			if f.Value != nil {
				return c.bad(e.At(), "a nested format in an f-string is not supported")
			}
			parts[i].format += f.Text
		}
	}
	at := e.At()
	return func(m *machine) (val, error) {
		buf := m.text[:0]
		for i := range parts {
			s, err := parts[i].show(m)
			if err != nil {
				return val{}, place(err, at)
			}
			buf = append(buf, s...)
			if len(buf) > maxText {
				return val{}, place(tooMuch("the text is longer than %d bytes", maxText), at)
			}
		}
		m.text = buf
		out := textVal(string(buf))
		return out, place(m.grow(out), at)
	}
}

type textPart struct {
	text    string
	value   code
	convert byte
	format  string
}

func (p *textPart) show(m *machine) (string, error) {
	if p.value == nil {
		return p.text, nil
	}
	old := m.text
	m.text = nil // the value may be an f-string itself
	v, err := p.value(m)
	m.text = old
	if err != nil {
		return "", err
	}
	switch p.convert {
	case 'r', 'a':
		if v.k == kText {
			v = textVal(pytext.Quote(v.s))
			if p.convert == 'a' {
				v.s = pytext.ASCII(v.s)
			}
		} else if v.w != dNone {
			return "", outside("!r of a numpy number is not supported")
		}
	case 's':
		s, err := str(v)
		if err != nil {
			return "", err
		}
		v = textVal(s)
	}
	if p.format == "" {
		return str(v)
	}
	return formatted(v, p.format)
}

// formatted is format(v, spec).
func formatted(v val, spec string) (string, error) {
	var x any
	switch v.k {
	case kText:
		x = v.s
	case kInt:
		x = v.i
	case kFloat:
		x = v.f
	default:
		return "", outside("the format of a %s is not supported", v.typeName())
	}
	s, err := pytext.Format(x, spec)
	if err != nil {
		return "", valueError("%s", err)
	}
	return s, nil
}
