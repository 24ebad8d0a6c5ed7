package parquet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// rowReader is where rows come from.
type rowReader = array.RecordReader

// extendCSV writes a file's lines as they are, and then the rows.
func (d *draft) extendCSV(ctx context.Context, c *csvFile, rows rowReader) (int64, error) {
	style, size, err := styleOf(ctx, c)
	if err != nil {
		return 0, err
	}
	if err := d.copyPart(ctx, c.path, size); err != nil {
		return 0, err
	}
	if !style.ended {
		if _, err := io.WriteString(d.out, style.end); err != nil {
			return 0, unwritable(d.source, c.path, err)
		}
	}
	return d.lines(ctx, c, style.end, rows)
}

// imitateCSV writes a file with the columns of another one.
func (d *draft) imitateCSV(ctx context.Context, c *csvFile, rows rowReader) (int64, error) {
	style, _, err := styleOf(ctx, c)
	if err != nil {
		return 0, err
	}
	var head []byte
	for i, name := range c.header {
		if i > 0 {
			head = append(head, ',')
		}
		head = appendQuoted(head, name)
	}
	if _, err := d.out.Write(append(head, style.end...)); err != nil {
		return 0, unwritable(d.source, d.path, err)
	}
	return d.lines(ctx, c, style.end, rows)
}

// csvStyle is how a file ends its lines, and whether it has ended the last one.
type csvStyle struct {
	end   string
	ended bool
}

// styleOf reads the whole file: rows behind a quote that never ends would be part
// of that cell.
func styleOf(ctx context.Context, c *csvFile) (style csvStyle, size int64, err error) {
	rows, err := openRows(c.path)
	if err != nil {
		return style, 0, err
	}
	defer rows.close()
	for rows.next(ctx) {
		continue
	}
	if rows.err != nil {
		return style, 0, rows.err
	}
	f, err := os.Open(c.path)
	if err != nil {
		return style, 0, broken(c.path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return style, 0, broken(c.path, err)
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return style, 0, broken(c.path, err)
	}
	style = csvStyle{end: "\n", ended: last[0] == '\n'}
	if last[0] == '\r' {
		return style, 0, fault.New(fault.Invalid, "%s ends with a CR that no LF follows; it was cut short or is still being written", c.path)
	}
	if first, err := bufio.NewReader(f).ReadString('\n'); err == nil && strings.HasSuffix(first, "\r\n") {
		style.end = "\r\n"
	}
	return style, info.Size(), nil
}

// lines writes rows as lines.
func (d *draft) lines(ctx context.Context, c *csvFile, end string, rows rowReader) (int64, error) {
	at, err := d.match(c.header, rows)
	if err != nil {
		return 0, err
	}
	texts := make([]csvText, len(at))
	for i, name := range c.header {
		f := rows.Schema().Field(at[i])
		if texts[i] = csvTextOf(f.Type); texts[i] == nil {
			return 0, refuse(d.source, fault.Invalid, "column %s of the rows is of type %s, which CSV does not hold; convert it", name, f.Type)
		}
	}
	checks := d.declared(c.header)
	n := int64(0)
	out := bufio.NewWriterSize(d.out, 256<<10)
	var line, cell []byte
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return 0, fault.Of(err)
		}
		batch := rows.RecordBatch()
		for row := range int(batch.NumRows()) {
			n++
			line = line[:0]
			for i := range at {
				if i > 0 {
					line = append(line, ',')
				}
				if cell, err = csvCell(cell[:0], texts[i], checks[i], batch.Column(at[i]), row); err != nil {
					return 0, d.cellFault(c.header[i], n, err)
				}
				line = append(line, cell...)
			}
			if len(line) == 0 { // an empty line would be skipped
				line = append(line, `""`...)
			}
			if _, err := out.Write(append(line, end...)); err != nil {
				return 0, unwritable(d.source, d.path, err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if err := out.Flush(); err != nil {
		return 0, unwritable(d.source, d.path, err)
	}
	return n, nil
}

// csvText is the text of a cell that is not null.
type csvText func(a arrow.Array, row int) (string, error)

// csvCell writes a cell. It refuses one that would be read as null.
func csvCell(dst []byte, text csvText, check declaredCell, a arrow.Array, row int) ([]byte, error) {
	if nullAt(a, row) {
		return dst, nil
	}
	s, err := text(a, row)
	if err == nil {
		err = checkText(s)
	}
	if err == nil && isNull(s) {
		err = fmt.Errorf("%q would be read as null, as pandas reads it", s)
	}
	if err == nil && check != nil {
		err = check(s)
	}
	if err != nil {
		return nil, err
	}
	return appendQuoted(dst, s), nil
}

// appendQuoted quotes a cell if it must be.
func appendQuoted(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

// csvTextOf chooses how cells of a type are written; nil for types that CSV does
// not hold. Each text reads back as the same value.
func csvTextOf(dt arrow.DataType) csvText {
	switch t := dt.(type) {
	case *arrow.DictionaryType:
		inner := csvTextOf(t.ValueType)
		if inner == nil {
			return nil
		}
		return func(a arrow.Array, row int) (string, error) {
			d, ok := a.(*array.Dictionary)
			if !ok {
				return "", errCell(a)
			}
			return inner(d.Dictionary(), d.GetValueIndex(row))
		}
	case *arrow.NullType:
		return func(a arrow.Array, _ int) (string, error) { return "", errCell(a) }
	}
	switch {
	case isDecimal(dt):
		return func(a arrow.Array, row int) (string, error) { return decimalText(a, row), nil }
	case isInt(dt), dt.ID() == arrow.BOOL:
		return func(a arrow.Array, row int) (string, error) { return a.ValueStr(row), nil }
	case arrow.IsFloating(dt.ID()):
		return csvFloat
	case isText(dt):
		return func(a arrow.Array, row int) (string, error) {
			s, ok := a.(array.StringLike)
			if !ok {
				return "", errCell(a)
			}
			return s.Value(row), nil
		}
	case isBytes(dt):
		return func(a arrow.Array, row int) (string, error) {
			b, ok := a.(interface{ Value(int) []byte })
			if !ok {
				return "", errCell(a)
			}
			return string(b.Value(row)), nil
		}
	case isTime(dt):
		return csvTime
	}
	return nil
}

func errCell(a arrow.Array) error {
	return fault.New(fault.Internal, "the cell has the type %s", a.DataType())
}

// csvFloat writes a number so that it stays one with a fraction: 1.0.
func csvFloat(a arrow.Array, row int) (string, error) {
	v, bits, ok := floatAt(a, row)
	switch {
	case !ok:
		return "", errCell(a)
	case math.IsInf(v, 1):
		return "inf", nil
	case math.IsInf(v, -1):
		return "-inf", nil
	}
	text := strconv.FormatFloat(v, 'g', -1, bits)
	if !math.IsNaN(v) && !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text, nil
}

// csvTime writes a time as pandas does: with an offset if it has a zone.
func csvTime(a arrow.Array, row int) (string, error) {
	at, err := instantAt(a, row)
	if err != nil {
		return "", err
	}
	if y := at.Year(); y < 1 || y > 9999 {
		return "", fmt.Errorf("the time lies outside of the years 1 to 9999, which are read from text")
	}
	layout := "2006-01-02 15:04:05.999999999"
	switch t := a.DataType().(type) {
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			layout += "-07:00"
		}
	default:
		layout = time.DateOnly
	}
	return at.Format(layout), nil
}
