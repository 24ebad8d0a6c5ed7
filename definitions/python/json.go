package python

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func jsonModule() map[string]any {
	return map[string]any{
		"dumps": &Builtin{Name: "dumps", Call: dumps},
		"loads": &Builtin{Name: "loads", Call: loads},
	}
}

// dumps is json.dumps with its defaults, or with indent and sort_keys.
func dumps(c *Call) (any, error) {
	v, err := c.one("dumps")
	if err != nil {
		return nil, err
	}
	w := jsonWriter{comma: ", ", colon: ": ", indent: -1, ascii: true}
	for i, n := range c.Names {
		switch n {
		case "indent":
			if c.Named[i] == nil {
				continue
			}
			spaces, ok := asInt(c.Named[i])
			if !ok || spaces < 0 || spaces > 20 {
				return &Unknown{Why: "json.dumps"}, nil
			}
			w.indent, w.comma = int(spaces), ","
		case "ensure_ascii":
			w.ascii = c.Named[i] != false
		case "separators":
			t, ok := c.Named[i].(Tuple)
			if !ok || len(t) != 2 {
				return &Unknown{Why: "json.dumps"}, nil
			}
			w.comma, w.colon = Str(t[0]), Str(t[1])
		default:
			return &Unknown{Why: "json.dumps(" + n + "=…)"}, nil
		}
	}
	if err := w.value(v, 0); err != nil {
		return nil, err
	}
	if w.unknown != nil {
		return w.unknown, nil
	}
	return w.b.String(), c.run.charge(w.b.Len() / 64)
}

// JSON is a value as Python's json.dumps writes it; ok is false for what JSON
// does not have.
func JSON(v any) (text string, ok bool) {
	w := jsonWriter{comma: ", ", colon: ": ", indent: -1, ascii: true}
	err := w.value(v, 0)
	return w.b.String(), err == nil && w.unknown == nil
}

type jsonWriter struct {
	b            strings.Builder
	comma, colon string
	indent       int // -1 for one line
	ascii        bool
	unknown      *Unknown
}

func (w *jsonWriter) value(v any, depth int) error {
	if depth > maxNesting || w.b.Len() > maxText {
		return fmt.Errorf("this value is too large to be written as JSON")
	}
	switch v := Plain(v).(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(v))
	case int64:
		w.b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.b.WriteString(strings.NewReplacer("inf", "Infinity", "nan", "NaN").Replace(floatText(v)))
	case string:
		w.text(v)
	case *List:
		return w.list(v.Items, depth)
	case Tuple:
		return w.list(v, depth)
	case *Dict:
		return w.dict(v, depth)
	case *Unknown:
		w.unknown = v
	default:
		return raise("TypeError", "Object of type %s is not JSON serializable", TypeName(v))
	}
	return nil
}

func (w *jsonWriter) line(depth int) {
	if w.indent >= 0 {
		w.b.WriteString("\n" + strings.Repeat(" ", w.indent*depth))
	}
}

func (w *jsonWriter) list(items []any, depth int) error {
	if len(items) == 0 {
		w.b.WriteString("[]")
		return nil
	}
	w.b.WriteByte('[')
	for i, v := range items {
		if i > 0 {
			w.b.WriteString(w.comma)
		}
		w.line(depth + 1)
		if err := w.value(v, depth+1); err != nil {
			return err
		}
	}
	w.line(depth)
	w.b.WriteByte(']')
	return nil
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	if d.Len() == 0 {
		w.b.WriteString("{}")
		return nil
	}
	w.b.WriteByte('{')
	first := true
	for k, v := range d.All() {
		if !first {
			w.b.WriteString(w.comma)
		}
		first = false
		w.line(depth + 1)
		key, ok := asText(k)
		if !ok {
			inner := jsonWriter{indent: -1, ascii: w.ascii}
			switch k.(type) {
			case nil, bool, int64, float64:
			default:
				return raise("TypeError", "keys must be str, int, float, bool or None, not %s", TypeName(k))
			}
			if err := inner.value(k, depth); err != nil {
				return err
			}
			key = inner.b.String()
		}
		w.text(key)
		w.b.WriteString(w.colon)
		if err := w.value(v, depth+1); err != nil {
			return err
		}
	}
	w.line(depth)
	w.b.WriteByte('}')
	return nil
}

// text writes a JSON string as Python does.
func (w *jsonWriter) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\b':
			w.b.WriteString(`\b`)
		case r == '\f':
			w.b.WriteString(`\f`)
		case r < 0x20 || r >= 0x7f && r <= 0xffff && w.ascii:
			fmt.Fprintf(&w.b, `\u%04x`, r)
		case r > 0xffff && w.ascii:
			r -= 0x10000
			fmt.Fprintf(&w.b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}

// loads is json.loads.
func loads(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	s, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	v, err := decoded(c, d, 0)
	if err != nil || d.More() {
		return nil, raise("ValueError", "this text is no JSON")
	}
	return v, nil
}

// decoded reads one value token by token, so that keys keep their order.
func decoded(c *Call, d *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested too deep")
	}
	if err := c.run.charge(1); err != nil {
		return nil, err
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return i, nil
		}
		if !strings.ContainsAny(t.String(), ".eE") {
			return &Unknown{Why: "a large number"}, nil
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			return decodedList(c, d, depth)
		}
		return decodedDict(c, d, depth)
	}
	return t, nil
}

func decodedList(c *Call, d *json.Decoder, depth int) (any, error) {
	l := &List{}
	for d.More() {
		v, err := decoded(c, d, depth+1)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
	}
	_, err := d.Token()
	return l, err
}

func decodedDict(c *Call, d *json.Decoder, depth int) (any, error) {
	out := &Dict{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decoded(c, d, depth+1)
		if err != nil {
			return nil, err
		}
		if err := out.Put(k, v); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return out, err
}

// copied is copy.copy.
func copied(c *Call) (any, error) {
	v, err := c.one("copy")
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *List:
		return &List{Items: append([]any{}, v.Items...)}, c.run.charge(len(v.Items))
	case *Dict:
		return v.clone(), c.run.charge(v.Len())
	case *Set:
		return v.clone(), c.run.charge(v.Len())
	case *Instance:
		if v.Class.enum != nil || v.Class.isException() {
			return v, copyRefused(v)
		}
		return &Instance{Class: v.Class, own: *v.own.clone(), tuple: v.tuple}, nil
	case Object:
		return nil, fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
	}
	return v, nil
}

// copyRefused refuses to copy an object that has to be made anew.
func copyRefused(v *Instance) error {
	if v.Class.enum != nil {
		return nil
	}
	return fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
}

// deepCopied is copy.deepcopy of lists, dicts and constants.
func deepCopied(c *Call) (any, error) {
	v, err := c.one("deepcopy")
	if err != nil {
		return nil, err
	}
	return deep(c, v, 0)
}

func deep(c *Call, v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("this value is nested too deep to be copied")
	}
	if err := c.run.charge(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *List:
		out := &List{}
		for _, item := range v.Items {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, d)
		}
		return out, nil
	case Tuple:
		out := Tuple{}
		for _, item := range v {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		return out, nil
	case *Dict:
		out := &Dict{factory: v.factory}
		for k, item := range v.All() {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			if err := out.Put(k, d); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *Set:
		return v.clone(), nil
	case *Instance:
		return v, copyRefused(v)
	case Object:
		return nil, fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
	}
	return v, nil
}
