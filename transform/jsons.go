package transform

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

func jsonError(s string) error {
	if strings.Contains(s, "NaN") || strings.Contains(s, "Infinity") {
		return tooMuch("json.loads() of NaN and Infinity is not supported")
	}
	return &failure{class: "JSONDecodeError", text: "the text is not JSON", data: true}
}

// jsonLoads is json.loads() of a text.
func jsonLoads(m *machine, a *args) (val, error) {
	if err := a.known("json.loads()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "json.loads()")
	}
	v := a.pos[0]
	if v.k != kText {
		return val{}, &failure{class: "TypeError", text: "the JSON object must be str, bytes or bytearray, not " + v.typeName(), data: v.null(), outside: !v.null()}
	}
	d := json.NewDecoder(strings.NewReader(v.s))
	d.UseNumber()
	if !json.Valid([]byte(v.s)) {
		return val{}, jsonError(v.s)
	}
	out, err := m.jsonValue(d, 0)
	if err == nil && strings.Contains(strings.ToLower(v.s), `\ud`) {
		err = halves(v.s)
	}
	return out, err
}

// halves refuses a surrogate without its other half, which a text of Python can have.
func halves(s string) error {
	var last rune
	for i := 0; i+6 <= len(s); i++ {
		if s[i] != '\\' {
			last = 0
			continue
		}
		if s[i+1] != 'u' {
			i++
			last = 0
			continue
		}
		n, _ := strconv.ParseUint(s[i+2:i+6], 16, 32)
		r := rune(n)
		i += 5
		switch {
		case last != 0 && utf16.DecodeRune(last, r) != 0xFFFD:
			last = 0
		case last != 0 || r >= 0xDC00 && r < 0xE000:
			return tooMuch("json.loads() of half a character is not supported")
		case r >= 0xD800 && r < 0xDC00:
			if !strings.HasPrefix(s[i+1:], `\u`) {
				return tooMuch("json.loads() of half a character is not supported")
			}
			last = r
		}
	}
	return nil
}

// jsonValue reads one value of valid JSON.
func (m *machine) jsonValue(d *json.Decoder, depth int) (val, error) {
	if depth > maxNested {
		return val{}, tooMuch("JSON nested deeper than %d is not supported", maxNested)
	}
	if err := m.step(); err != nil {
		return val{}, err
	}
	t, err := d.Token()
	if err != nil {
		return val{}, &failure{class: "JSONDecodeError", text: "the text is not JSON", data: true}
	}
	switch t := t.(type) {
	case bool:
		return boolVal(t), nil
	case string:
		m.mem.used += len(t)
		return textVal(t), nil
	case json.Number:
		return jsonNumber(string(t))
	case json.Delim:
		if t == '[' {
			return m.jsonList(d, depth)
		}
		return m.jsonDict(d, depth)
	}
	return val{}, nil // null
}

func jsonNumber(s string) (val, error) {
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) {
			return val{}, valueError("%s is no number", s)
		}
		return floatVal(f), nil
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return val{}, errTooLarge
	}
	return intVal(i), nil
}

func (m *machine) jsonList(d *json.Decoder, depth int) (val, error) {
	var out []val
	for d.More() {
		v, err := m.jsonValue(d, depth+1)
		if err != nil {
			return val{}, err
		}
		out = append(out, v)
		m.mem.used += 64
	}
	_, err := d.Token() // the end
	return listVal(out), err
}

func (m *machine) jsonDict(d *json.Decoder, depth int) (val, error) {
	out := &dict{}
	for d.More() {
		k, err := m.jsonValue(d, depth+1)
		if err != nil {
			return val{}, err
		}
		v, err := m.jsonValue(d, depth+1)
		if err != nil {
			return val{}, err
		}
		out.set(k, v)
		m.mem.used += 128
	}
	_, err := d.Token() // the end
	return val{k: kDict, ref: out}, err
}

// jsonDumps is json.dumps().
func jsonDumps(m *machine, a *args) (val, error) {
	if err := a.known("json.dumps()", 1, "ensure_ascii"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "json.dumps()")
	}
	ascii, err := flagOf(a, "ensure_ascii", true)
	if err != nil {
		return val{}, err
	}
	var b strings.Builder
	err = m.dump(&b, a.pos[0], ascii, 0)
	return textVal(b.String()), err
}

func (m *machine) dump(b *strings.Builder, v val, ascii bool, depth int) error {
	switch {
	case depth > maxNested:
		return tooMuch("JSON nested deeper than %d is not supported", maxNested)
	case b.Len() > maxText:
		return tooMuch("the text is longer than %d bytes", maxText)
	case v.isNumber() && v.w != dNone:
		return outside("json.dumps() of a %s is not supported; use float() or int()", v.typeName())
	}
	if err := m.step(); err != nil {
		return err
	}
	switch v.k {
	case kNone:
		b.WriteString("null")
	case kBool:
		b.WriteString(strconv.FormatBool(v.i != 0))
	case kInt:
		b.WriteString(itoa(v.i))
	case kFloat:
		b.WriteString(dumpFloat(v.f))
	case kText:
		dumpText(b, v.s, ascii)
	case kList, kTuple:
		return m.dumpList(b, v.ref.(*list).items, ascii, depth)
	case kDict:
		return m.dumpDict(b, v.ref.(*dict), ascii, depth)
	default:
		return outside("json.dumps() of a %s is not supported", v.typeName())
	}
	return nil
}

func dumpFloat(f float64) string {
	switch {
	case f != f:
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return pytext.Float(f)
}

func (m *machine) dumpList(b *strings.Builder, all []val, ascii bool, depth int) error {
	b.WriteByte('[')
	for i, x := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := m.dump(b, x, ascii, depth+1); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func (m *machine) dumpDict(b *strings.Builder, d *dict, ascii bool, depth int) error {
	b.WriteByte('{')
	for i, k := range d.keys {
		if i > 0 {
			b.WriteString(", ")
		}
		if k.k != kText {
			return outside("json.dumps() of a dict with a key that is a %s is not supported", k.typeName())
		}
		dumpText(b, k.s, ascii)
		b.WriteString(": ")
		if err := m.dump(b, d.values[i], ascii, depth+1); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// dumpText writes a text with the escapes of Python's json.
func dumpText(b *strings.Builder, s string, ascii bool) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	b.WriteByte('"')
	for _, r := range s {
		switch e := short[r]; {
		case e != "":
			b.WriteString(e)
		case r < 0x20, ascii && r > 0x7e && r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		case ascii && r >= 0x10000:
			x, y := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, x, y)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
