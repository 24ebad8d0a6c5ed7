package parquet

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/value"
)

// csvFile is a CSV file with a header. The types of its columns are those that
// all their cells fit: integer, number, boolean, time, else text. An empty cell
// is null.
type csvFile struct {
	path   string
	schema *arrow.Schema
}

func openCSV(path string) (part, error) {
	f := &csvFile{path: path}
	var kinds []cellKinds
	err := f.rows(func(header, row []string) error {
		if kinds == nil {
			kinds = make([]cellKinds, len(header))
			for i := range kinds {
				kinds[i] = anyKind
			}
			f.schema = headerSchema(header, kinds)
		}
		for i, cell := range row {
			kinds[i] = kinds[i].after(cell)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	names := make([]string, f.schema.NumFields())
	for i := range names {
		names[i] = f.schema.Field(i).Name
	}
	f.schema = headerSchema(names, kinds)
	return f, nil
}

func headerSchema(header []string, kinds []cellKinds) *arrow.Schema {
	fields := make([]arrow.Field, len(header))
	for i, name := range header {
		fields[i] = arrow.Field{Name: name, Type: kinds[i].arrow(), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// rows visits the header with a nil row first, then every row.
func (c *csvFile) rows(visit func(header, row []string) error) error {
	f, err := os.Open(c.path)
	if err != nil {
		return fault.New(fault.Unavailable, "%s cannot be opened", c.path).Because(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fault.New(fault.Invalid, "%s has no header line", c.path).Because(err)
	}
	header = append([]string(nil), header...)
	if err := visit(header, nil); err != nil {
		return err
	}
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			var at *csv.ParseError
			if errors.As(err, &at) {
				return fault.New(fault.Invalid, "%s:%d: %v", c.path, at.Line, at.Err).Because(err)
			}
			return fault.New(fault.Unavailable, "%s cannot be read to its end", c.path).Because(err)
		}
		if err := visit(header, row); err != nil {
			return err
		}
	}
}

func (c *csvFile) fields() []arrow.Field         { return c.schema.Fields() }
func (c *csvFile) name() string                  { return c.path }
func (c *csvFile) partitions() map[string]string { return partitionsOf(c.path) }
func (c *csvFile) close() error                  { return nil }

// errStop ends a visit whose reader has had enough.
var errStop = errors.New("stop")

// batches reads the named columns.
func (c *csvFile) batches(ctx context.Context, columns []string, _ bounds) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		fields := make([]arrow.Field, len(columns))
		at := make([]int, len(columns))
		for i, name := range columns {
			at[i] = c.schema.FieldIndices(name)[0]
			fields[i] = c.schema.Field(at[i])
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
		defer b.Release()
		n := 0
		flush := func() error {
			n = 0
			if !yield(b.NewRecordBatch(), nil) {
				return errStop
			}
			return ctx.Err()
		}
		err := c.rows(func(_, row []string) error {
			if row == nil {
				return nil
			}
			for i, column := range at {
				if err := appendCell(b.Field(i), row[column]); err != nil {
					return err
				}
			}
			if n++; n == batchRows {
				return flush()
			}
			return nil
		})
		if err == nil && n > 0 {
			err = flush()
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, fault.Of(err))
		}
	}
}

func appendCell(b array.Builder, cell string) error {
	if cell == "" {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.TimestampBuilder:
		v, err := parsed(cell, arrow.Nanosecond)
		if err != nil {
			return err
		}
		b.Append(v)
		return nil
	case *array.BooleanBuilder:
		b.Append(cell == "true" || cell == "True" || cell == "TRUE")
		return nil
	}
	if err := b.AppendValueFromString(cell); err != nil {
		return fault.New(fault.Invalid, "cell %q changed while the file was read", cell).Because(err)
	}
	return nil
}

// cellKinds is the set of types that all cells of a column fit so far.
type cellKinds uint8

const (
	intKind cellKinds = 1 << iota
	floatKind
	boolKind
	timeKind
	seen
	anyKind = intKind | floatKind | boolKind | timeKind
)

// after leaves out the types that a cell does not fit.
func (k cellKinds) after(cell string) cellKinds {
	if cell == "" {
		return k
	}
	k |= seen
	if k&intKind != 0 {
		if _, err := strconv.ParseInt(cell, 10, 64); err != nil {
			k &^= intKind
		}
	}
	if k&floatKind != 0 {
		// Go reads 1_000.5 and 0x1p4 as numbers, which no data file means by it.
		if _, err := strconv.ParseFloat(cell, 64); err != nil || strings.ContainsAny(cell, "_xXpP") {
			k &^= floatKind
		}
	}
	if k&boolKind != 0 {
		switch cell {
		case "true", "false", "True", "False", "TRUE", "FALSE":
		default:
			k &^= boolKind
		}
	}
	if k&timeKind != 0 {
		if t, err := value.ParseTime(cell); err != nil || t.Year() < 1678 || t.Year() > 2261 {
			k &^= timeKind
		}
	}
	return k
}

func (k cellKinds) arrow() arrow.DataType {
	switch {
	case k&seen == 0:
		return arrow.BinaryTypes.String
	case k&intKind != 0:
		return arrow.PrimitiveTypes.Int64
	case k&floatKind != 0:
		return arrow.PrimitiveTypes.Float64
	case k&boolKind != 0:
		return arrow.FixedWidthTypes.Boolean
	case k&timeKind != 0:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	default:
		return arrow.BinaryTypes.String
	}
}
