package value

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// jsonEncoder makes JSON Values. Text that is JSON stays as it is; nested cells
// and doubles become the text that Python's json module writes.
func jsonEncoder(dt arrow.DataType) appendFunc {
	if isText(dt) {
		return jsonText
	}
	switch dt.ID() {
	case arrow.MAP, arrow.STRUCT, arrow.FLOAT64:
	default:
		if elementType(dt) == nil {
			return nil
		}
	}
	return dumped(dt)
}

// jsonElement makes the elements of a JSON_LIST, where numbers and booleans
// also have a JSON text.
func jsonElement(dt arrow.DataType) appendFunc {
	switch {
	case isText(plain(dt)):
		return encoderOf(dt, types.ValueType_JSON, exact)
	case dt.ID() == arrow.TIMESTAMP:
		return nil
	}
	return dumped(dt)
}

func jsonText(dst []byte, a arrow.Array, row int) ([]byte, error) {
	s, err := textAt(a, row)
	switch {
	case err != nil:
		return nil, err
	case !isJSON(s):
		return nil, fault.New(fault.Invalid, "the text %s is not JSON", quoted(s))
	}
	return AppendText(dst, types.ValueType_JSON, s), nil
}

// isJSON accepts what Python's json module reads: JSON, and the numbers NaN,
// Infinity and -Infinity, which that module also writes.
func isJSON(s string) bool {
	if json.Valid([]byte(s)) {
		return true
	}
	if !strings.Contains(s, "NaN") && !strings.Contains(s, "Infinity") {
		return false
	}
	b := []byte(s)
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			i += quotedEnd(b[i:])
			continue
		}
		for _, name := range [...]string{"-Infinity", "Infinity", "NaN"} {
			if strings.HasPrefix(string(b[i:min(len(b), i+len(name))]), name) {
				copy(b[i:], strings.Repeat(" ", len(name)-1)+"0")
				i += len(name) - 1
				break
			}
		}
	}
	return json.Valid(b)
}

// quotedEnd is the index of the quote that ends a JSON string.
func quotedEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b)
}

// dumped makes JSON Values of cells in the form of Python's json.dumps.
func dumped(dt arrow.DataType) appendFunc {
	dump := dumper(dt)
	if dump == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		out, err := dump(nil, a, row)
		if err != nil {
			return nil, err
		}
		if string(out) == "null" { // a NaN
			return dst, nil
		}
		return AppendText(dst, types.ValueType_JSON, string(out)), nil
	}
}

// dumper writes cells of a type as JSON; nil for types without a JSON form.
func dumper(dt arrow.DataType) appendFunc {
	var inner appendFunc
	switch d := dt.(type) {
	case *arrow.StructType:
		inner = structDumper(d)
	case *arrow.MapType:
		inner = mapDumper(d)
	case *DecimalText:
		if !d.scaled {
			inner = dumpDecimal
		}
	case *arrow.NullType:
		return func(dst []byte, _ arrow.Array, _ int) ([]byte, error) { return append(dst, "null"...), nil }
	default:
		inner = plainDumper(dt)
	}
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		if a.IsNull(row) {
			return append(dst, "null"...), nil
		}
		return inner(dst, a, row)
	}
}

func plainDumper(dt arrow.DataType) appendFunc {
	switch {
	case isText(dt):
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			s, err := textAt(a, row)
			return appendPythonQuoted(dst, s), err
		}
	case dt.ID() == arrow.BOOL:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, _, err := integerAt(a, row)
			return strconv.AppendBool(dst, v != 0), err
		}
	case dt.ID() == arrow.UINT64:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) { return append(dst, a.ValueStr(row)...), nil }
	case arrow.IsFloating(dt.ID()):
		return dumpFloat
	case elementType(dt) != nil:
		return listDumper(elementType(dt))
	}
	if dt.ID() == arrow.TIMESTAMP && unitOf(dt) == arrow.Nanosecond || arrow.IsInteger(dt.ID()) {
		get := integerGetter(dt, exact)
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, known, err := get(a, row)
			if !known && err == nil {
				return append(dst, "null"...), nil
			}
			return strconv.AppendInt(dst, v, 10), err
		}
	}
	return nil
}

func dumpFloat(dst []byte, a arrow.Array, row int) ([]byte, error) {
	f, err := floatAt(a, row)
	switch {
	case err != nil:
		return nil, err
	case math.IsNaN(f):
		return append(dst, "null"...), nil
	case math.IsInf(f, 0):
		return nil, fault.New(fault.Invalid, "JSON has no infinity")
	}
	return appendRepr(dst, f), nil
}

func dumpDecimal(dst []byte, a arrow.Array, row int) ([]byte, error) {
	c, ok := a.(*DecimalTextArray)
	if !ok {
		return nil, wrongArray(a)
	}
	if c.Value(row) == "NaN" {
		return append(dst, "null"...), nil
	}
	number, err := jsonOfDecimal(c.Value(row))
	return append(dst, number...), err
}

func listDumper(elem arrow.DataType) appendFunc {
	inner := dumper(elem)
	if inner == nil || elem.ID() == arrow.TIMESTAMP {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		values, from, to, err := elements(a, row)
		if err != nil {
			return nil, err
		}
		dst = append(dst, '[')
		for i := from; i < to; i++ {
			if i > from {
				dst = append(dst, ", "...)
			}
			if dst, err = inner(dst, values, i); err != nil {
				return nil, inElement(i-from, err)
			}
		}
		return append(dst, ']'), nil
	}
}

func structDumper(d *arrow.StructType) appendFunc {
	fields := ofFields(d, dumper)
	if fields == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*array.Struct)
		if !ok {
			return nil, wrongArray(a)
		}
		dst = append(dst, '{')
		for i, field := range fields {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			name := d.Field(i).Name
			dst = append(appendPythonQuoted(dst, name), ": "...)
			var err error
			if dst, err = field(dst, c.Field(i), row); err != nil {
				return nil, inKey(name, err)
			}
		}
		return append(dst, '}'), nil
	}
}

func mapDumper(d *arrow.MapType) appendFunc {
	item := dumper(d.ItemType())
	if item == nil || !isText(d.KeyType()) {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*array.Map)
		if !ok {
			return nil, wrongArray(a)
		}
		start, end := c.ValueOffsets(row)
		seen := make(map[string]bool, end-start)
		dst = append(dst, '{')
		for i := int(start); i < int(end); i++ {
			name, err := textAt(c.Keys(), i)
			if err != nil {
				return nil, err
			}
			if seen[name] {
				return nil, fault.New(fault.Invalid, "the map has the key %s twice", quoted(name))
			}
			seen[name] = true
			if i > int(start) {
				dst = append(dst, ", "...)
			}
			dst = append(appendPythonQuoted(dst, name), ": "...)
			if dst, err = item(dst, c.Items(), i); err != nil {
				return nil, inKey(name, err)
			}
		}
		return append(dst, '}'), nil
	}
}

// appendPythonQuoted quotes a text as Python's json module does: in ASCII.
func appendPythonQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch at := strings.IndexRune("\"\\\n\r\t\b\f", r); {
		case at >= 0:
			dst = append(dst, '\\', `"\nrtbf`[at])
		case r >= 0x20 && r < 0x7f:
			dst = append(dst, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return append(dst, '"')
}
