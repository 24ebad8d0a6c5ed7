package library

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/definitions/python"
)

func jsonModule(run *python.Interpreter) names {
	return names{
		"dumps": python.NewFunction("dumps", "obj * indent? ensure_ascii? separators? sort_keys?", dumps), "JSONDecodeError": run.Builtin("JSONDecodeError"),
		"loads": python.NewFunction("loads", "s", func(c *python.Call, a []any) (any, error) {
			if s, ok := python.Text(a[0]); ok {
				return loads(c, s)
			}
			if b, ok := a[0].(python.Bytes); ok {
				return loadBytes(c, string(b))
			}
			return nil, python.Raise("TypeError", "the JSON object must be str, bytes or bytearray, not %s", python.TypeName(a[0]))
		}),
		"load": python.NewFunction("load", "fp", func(c *python.Call, a []any) (any, error) {
			f, ok := a[0].(*openFile)
			if !ok || f.closed {
				return nil, fmt.Errorf("json.load() reads a file that is open, not a %s", python.TypeName(a[0]))
			}
			s, _ := readAll(f)
			if f.binary {
				return loadBytes(c, s)
			}
			return loads(c, s)
		}),
	}
}

// dumps is json.dumps.
func dumps(c *python.Call, a []any) (any, error) {
	w := jsonWriter{comma: ", ", colon: ": ", indent: -1, ascii: a[2] != false, sort: a[4] == true}
	if a[1] != nil {
		spaces, ok := python.Int(a[1])
		if !ok || spaces < 0 || spaces > 20 {
			return nil, fmt.Errorf("json.dumps() with indent=%s is not read", python.Brief(a[1]))
		}
		w.indent, w.comma = int(spaces), ","
	}
	if a[3] != nil {
		t, ok := a[3].(python.Tuple)
		if !ok || len(t) != 2 {
			return nil, fmt.Errorf("json.dumps() with separators=%s is not read", python.Brief(a[3]))
		}
		w.comma, w.colon = python.Str(t[0]), python.Str(t[1])
	}
	w.call = c
	if err := w.value(a[0], 0); err != nil {
		return nil, err
	}
	if w.unknown != nil {
		return w.unknown, nil
	}
	return w.b.String(), nil
}

// JSON formats a value as Python's json.dumps does; ok is false if JSON cannot
// represent it.
func JSON(v any) (text string, ok bool) {
	w := jsonWriter{comma: ", ", colon: ": ", indent: -1, ascii: true}
	err := w.value(v, 0)
	return w.b.String(), err == nil && w.unknown == nil
}

type jsonWriter struct {
	call         *python.Call // whose work it is; nil for none
	b            strings.Builder
	comma, colon string
	indent       int // -1 means one line
	ascii        bool
	sort         bool
	unknown      *python.Unknown
}

func (w *jsonWriter) value(v any, depth int) error {
	if depth > 50 || w.b.Len() > 1<<20 {
		return fmt.Errorf("this value is too large to be written as JSON")
	}
	if w.call != nil {
		text, _ := python.Text(v)
		if err := w.call.Charge(2 + len(text)/32); err != nil {
			return err
		}
	}
	switch v := python.Plain(v).(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(v))
	case int64:
		w.b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.b.WriteString(strings.NewReplacer("inf", "Infinity", "nan", "NaN").Replace(python.Repr(v)))
	case string:
		w.text(v)
	case *python.List:
		return w.list(v.Items, depth)
	case python.Tuple:
		return w.list(v, depth)
	case *python.Dict:
		return w.dict(v, depth)
	case *python.Unknown:
		w.unknown = v
	default:
		return python.Raise("TypeError", "Object of type %s is not JSON serializable", python.TypeName(v))
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

func (w *jsonWriter) dict(d *python.Dict, depth int) error {
	if d.Len() == 0 {
		w.b.WriteString("{}")
		return nil
	}
	w.b.WriteByte('{')
	first := true
	if w.sort {
		var err error
		if d, err = sortedDict(d); err != nil {
			return err
		}
	}
	for k, v := range d.All() {
		if !first {
			w.b.WriteString(w.comma)
		}
		first = false
		w.line(depth + 1)
		key, ok := python.Text(k)
		if !ok {
			inner := jsonWriter{indent: -1, ascii: w.ascii}
			switch k.(type) {
			case nil, bool, int64, float64:
			default:
				return python.Raise("TypeError", "keys must be str, int, float, bool or None, not %s", python.TypeName(k))
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

// sortedDict is a copy of a dict with sorted keys: texts by their characters, or
// numbers.
func sortedDict(d *python.Dict) (*python.Dict, error) {
	keys := d.Keys()
	bad := false
	slices.SortStableFunc(keys, func(a, b any) int {
		s, ok := python.Text(a)
		t, also := python.Text(b)
		i, isInt := python.Int(a)
		j, alsoInt := python.Int(b)
		bad = bad || (!ok || !also) && (!isInt || !alsoInt)
		return cmp.Or(strings.Compare(s, t), cmp.Compare(i, j))
	})
	if bad {
		return nil, fmt.Errorf("json.dumps() sorts keys that are all text or all integers only")
	}
	out := &python.Dict{}
	for _, k := range keys {
		v, _, err := d.Get(k)
		if err = errors.Join(err, out.Put(k, v)); err != nil {
			return nil, err
		}
	}
	return out, nil
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

// loadBytes parses JSON in UTF-8 bytes; Python also detects other encodings.
func loadBytes(c *python.Call, s string) (any, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || strings.HasPrefix(s, "\ufeff") {
		return nil, fmt.Errorf("these bytes are not plain UTF-8, so their JSON is not read")
	}
	return loads(c, s)
}

// loads parses the JSON of a text.
func loads(c *python.Call, s string) (any, error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err := decoded(c, d, 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errJSON
		}
	}
	var broken *json.SyntaxError
	switch {
	case python.Stopped(err):
		return nil, err
	case err == nil:
		return v, nil
	case (errors.As(err, &broken) || errors.Is(err, errJSON) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) &&
		!strings.Contains(s, "NaN") && !strings.Contains(s, "Infinity"): // which Python accepts
		return nil, python.Raise("JSONDecodeError", "this text is not JSON: %s", err)
	}
	return nil, fmt.Errorf("this JSON is not read (%w)", err)
}

var errJSON = errors.New("there is more text after its end")

// decoded parses one value token by token, so that keys keep their order.
func decoded(c *python.Call, d *json.Decoder, depth int) (any, error) {
	if depth > 50 {
		return nil, fmt.Errorf("it is nested too deep")
	}
	if err := c.Charge(3); err != nil {
		return nil, err
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if !strings.ContainsAny(t.String(), ".eE") {
			i, err := strconv.ParseInt(t.String(), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("it has an integer that does not fit 64 bits")
			}
			return i, nil
		}
		f, _ := t.Float64() // too large is infinite, as in Python
		return f, nil
	case string:
		return t, half(t)
	case json.Delim:
		if t == '[' {
			return decodedList(c, d, depth)
		}
		return decodedDict(c, d, depth)
	}
	return t, nil
}

// half refuses a character that may be half of a surrogate pair, which a Go string
// cannot hold.
func half(s string) error {
	if strings.ContainsRune(s, '\ufffd') {
		return fmt.Errorf("it has a character that may be half of a surrogate pair")
	}
	return nil
}

func decodedList(c *python.Call, d *json.Decoder, depth int) (any, error) {
	l := &python.List{}
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

func decodedDict(c *python.Call, d *json.Decoder, depth int) (any, error) {
	out := c.NewDict()
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decoded(c, d, depth+1)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(half(python.Str(k)), out.Put(k, v)); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return out, err
}
