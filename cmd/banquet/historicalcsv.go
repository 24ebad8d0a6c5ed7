package main

import (
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// csvTable writes CSV: times in ISO 8601, a null as nothing and an empty text as "",
// bytes in base64, decimals with their scale, lists and maps as JSON.
type csvTable struct {
	to  io.Writer
	row []byte
}

func newCSVTable(to io.Writer, schema *arrow.Schema) (tableWriter, error) {
	t := &csvTable{to: to}
	for i, f := range schema.Fields() {
		if i > 0 {
			t.row = append(t.row, ',')
		}
		t.row = appendCSVText(t.row, f.Name)
	}
	t.row = append(t.row, '\n')
	_, err := to.Write(t.row)
	return t, err
}

func (t *csvTable) write(batch arrow.RecordBatch) error {
	for row := range int(batch.NumRows()) {
		t.row = t.row[:0]
		for i, c := range batch.Columns() {
			if i > 0 {
				t.row = append(t.row, ',')
			}
			if !isNull(c, row) {
				t.row = appendCSV(t.row, c, row)
			}
		}
		t.row = append(t.row, '\n')
		if _, err := t.to.Write(t.row); err != nil {
			return err
		}
	}
	return nil
}

func (t *csvTable) close() error { return nil }

// isNull reports whether a cell is null, in a column of the null type too.
func isNull(a arrow.Array, row int) bool { return a.DataType().ID() == arrow.NULL || a.IsNull(row) }

func appendCSV(dst []byte, a arrow.Array, row int) []byte {
	switch c := a.(type) {
	case *array.Int64:
		return strconv.AppendInt(dst, c.Value(row), 10)
	case *array.Float64:
		return append(dst, floatText(c.Value(row), 64)...)
	case *array.Float32:
		return append(dst, floatText(float64(c.Value(row)), 32)...)
	case *array.Timestamp:
		return append(dst, timeText(c, row)...)
	case *array.Binary:
		return appendCSVText(dst, base64.StdEncoding.EncodeToString(c.Value(row)))
	case *array.Decimal128:
		if kind, ok := c.DataType().(*arrow.Decimal128Type); ok {
			return append(dst, c.Value(row).ToString(kind.Scale)...)
		}
	case *array.Decimal256:
		if kind, ok := c.DataType().(*arrow.Decimal256Type); ok {
			return append(dst, c.Value(row).ToString(kind.Scale)...)
		}
	case *array.String:
		return appendCSVText(dst, c.Value(row))
	}
	if len(a.Data().Children()) > 0 {
		w := cellJSON{bytes: base64.StdEncoding.EncodeToString, time: timeText}
		return appendCSVText(dst, string(w.append(nil, a, row, 0)))
	}
	return appendCSVText(dst, a.ValueStr(row))
}

// appendCSVText quotes a text that would be read as another one.
func appendCSVText(dst []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, ",\"\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(text, `"`, `""`)...)
	return append(dst, '"')
}

// floatText is the shortest text of a number, as Python writes it.
func floatText(f float64, bits int) string {
	text := strconv.FormatFloat(f, 'g', -1, bits)
	switch {
	case f != f:
		return "NaN"
	case f > maxFloat:
		return "inf"
	case f < -maxFloat:
		return "-inf"
	}
	const smallest, largest = 1e-4, 1e16
	if size := max(f, -f); size == 0 || size >= smallest && size < largest {
		text = strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
	}
	return text
}

const maxFloat = 1.79769313486231570814527423731704356798070e+308

// timeText is a time in ISO 8601. It has no zone, as the column.
func timeText(c *array.Timestamp, row int) string {
	t, ok := timeOf(c, row)
	if !ok {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.999999999")
}

func timeOf(c *array.Timestamp, row int) (time.Time, bool) {
	kind, ok := c.DataType().(*arrow.TimestampType)
	if !ok {
		return time.Time{}, false
	}
	return c.Value(row).ToTime(kind.Unit).UTC(), true
}
