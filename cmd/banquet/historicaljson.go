package main

import (
	"encoding/base64"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// jsonTableWriter writes the records that Feast's command prints: pandas' JSON, indented
// by four, with times as seconds since 1970.
type jsonTableWriter struct {
	to    io.Writer
	names [][]byte // quoted
	rows  int64
	row   []byte
}

func newJSONTable(to io.Writer, schema *arrow.Schema) (tableWriter, error) {
	t := &jsonTableWriter{to: to}
	for _, f := range schema.Fields() {
		t.names = append(t.names, appendPandasText(nil, f.Name))
	}
	_, err := io.WriteString(to, "[\n")
	return t, err
}

func (t *jsonTableWriter) write(batch arrow.RecordBatch) error {
	const records = 1 // the level of the records
	w := cellJSON{indent: 4, bytes: pandasBytes, time: pandasTime, escape: true}
	for row := range int(batch.NumRows()) {
		t.row = t.row[:0]
		if t.rows++; t.rows > 1 {
			t.row = append(t.row, ",\n"...)
		}
		t.row = append(t.row, "    {"...)
		for i, c := range batch.Columns() {
			if i > 0 {
				t.row = append(t.row, ',')
			}
			t.row = append(t.row, "\n        "...)
			t.row = append(append(t.row, t.names[i]...), ':')
			if at, ok := c.(*array.Timestamp); ok && !c.IsNull(row) {
				moment, _ := timeOf(at, row)
				t.row = strconv.AppendInt(t.row, moment.UnixMicro()/1e6, 10) // pandas cuts, it does not round down
				continue
			}
			t.row = w.append(t.row, c, row, records+1)
		}
		t.row = append(t.row, "\n    }"...)
		if _, err := t.to.Write(t.row); err != nil {
			return err
		}
	}
	return nil
}

func (t *jsonTableWriter) close() error {
	_, err := io.WriteString(t.to, "\n]\n")
	return err
}

// pandasTime is a time inside a list: milliseconds since 1970.
func pandasTime(c *array.Timestamp, row int) string {
	t, _ := timeOf(c, row)
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// pandasBytes are read as text; others are base64.
func pandasBytes(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// cellJSON writes cells as JSON.
type cellJSON struct {
	indent int // blanks for each level; 0 writes one line
	bytes  func([]byte) string
	// time is the text of a time: digits are a number, all else is quoted.
	time func(c *array.Timestamp, row int) string
	// escape writes other characters than ASCII, and slashes, as escapes.
	escape bool
}

func (w cellJSON) append(dst []byte, a arrow.Array, row, level int) []byte {
	if isNull(a, row) {
		return append(dst, "null"...)
	}
	switch c := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, c.Value(row))
	case *array.Float64:
		return appendJSONFloat(dst, c.Value(row), 64)
	case *array.Float32:
		return appendJSONFloat(dst, float64(c.Value(row)), 32)
	case *array.Timestamp:
		return w.text(dst, w.time(c, row), true)
	case *array.Binary:
		return w.text(dst, w.bytes(c.Value(row)), false)
	case *array.String:
		return w.text(dst, c.Value(row), false)
	case *array.Map:
		return w.entries(dst, c, row, level)
	case *array.Struct:
		return w.fields(dst, c, row, level)
	case array.ListLike:
		from, to := c.ValueOffsets(row)
		return w.sequence(dst, '[', ']', int(to-from), level, func(dst []byte, i int) []byte {
			return w.append(dst, c.ListValues(), int(from)+i, level+1)
		})
	}
	return w.text(dst, a.ValueStr(row), arrow.IsInteger(a.DataType().ID()) || arrow.IsDecimal(a.DataType().ID()))
}

// text writes a text, or a number if it may be one.
func (w cellJSON) text(dst []byte, text string, number bool) []byte {
	if _, err := strconv.ParseFloat(text, 64); number && err == nil {
		return append(dst, text...)
	}
	if w.escape {
		return appendPandasText(dst, text)
	}
	return appendJSONText(dst, text)
}

// sequence writes a list or an object.
func (w cellJSON) sequence(dst []byte, open, end byte, n, level int, item func(dst []byte, i int) []byte) []byte {
	dst = append(dst, open)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item(w.line(dst, level+1), i)
	}
	if n == 0 && w.indent > 0 {
		dst = append(dst, '\n')
	}
	return append(w.line(dst, level), end)
}

// line begins a line at a level.
func (w cellJSON) line(dst []byte, level int) []byte {
	if w.indent == 0 {
		return dst
	}
	dst = append(dst, '\n')
	return append(dst, strings.Repeat(" ", w.indent*level)...)
}

func (w cellJSON) fields(dst []byte, c *array.Struct, row, level int) []byte {
	kind, _ := c.DataType().(*arrow.StructType)
	return w.sequence(dst, '{', '}', c.NumField(), level, func(dst []byte, i int) []byte {
		dst = append(w.text(dst, kind.Field(i).Name, false), ':')
		return w.append(dst, c.Field(i), row, level+1)
	})
}

func (w cellJSON) entries(dst []byte, c *array.Map, row, level int) []byte {
	from, to := c.ValueOffsets(row)
	return w.sequence(dst, '{', '}', int(to-from), level, func(dst []byte, i int) []byte {
		at := int(from) + i
		dst = append(w.text(dst, c.Keys().ValueStr(at), false), ':')
		return w.append(dst, c.Items(), at, level+1)
	})
}

// appendJSONFloat writes a number; JSON has neither NaN nor infinity, which pandas
// writes as null.
func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return append(dst, floatText(f, bits)...)
}

const hexDigits = "0123456789abcdef"

// appendPandasText quotes a text as pandas does.
func appendPandasText(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"', r == '\\', r == '/':
			dst = append(dst, '\\', byte(r))
		case r < utf8.RuneSelf && r >= ' ':
			dst = append(dst, byte(r))
		case strings.ContainsRune("\b\f\n\r\t", r):
			dst = append(dst, '\\', "btn\x00fr"[r-'\b'])
		case r > math.MaxUint16:
			high, low := utf16.EncodeRune(r)
			dst = appendEscape(appendEscape(dst, high), low)
		default:
			dst = appendEscape(dst, r)
		}
	}
	return append(dst, '"')
}

// appendEscape writes \uXXXX.
func appendEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}

// appendJSONText quotes a text and keeps all characters that JSON allows.
func appendJSONText(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"', r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = appendEscape(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
