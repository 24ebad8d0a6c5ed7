package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// jsonTable collects a list of JSON objects as columns, in the order in which their
// names first appear.
type jsonTable struct {
	names []string
	index map[string]int
	cells [][]any // by column; nil is null, or a name that a row lacks
	rows  int
}

// jsonRows reads entity rows from a JSON list of objects. kinds are the value types of
// join keys.
func jsonRows(text string, kinds map[string]types.ValueType_Enum) (array.RecordReader, error) {
	t := &jsonTable{index: map[string]int{}}
	if err := t.parse(text); err != nil {
		return nil, fault.New(fault.Invalid, "Error parsing entities JSON: %v", err).Because(err)
	}
	fields, columns := make([]arrow.Field, len(t.names)), make([]arrow.Array, len(t.names))
	for i, name := range t.names {
		a, err := jsonColumn(t.cells[i], t.rows, kinds[name])
		if err != nil {
			return nil, fault.New(fault.Invalid, "Error parsing entities JSON: column %q: %v", name, err).Because(err)
		}
		fields[i], columns[i] = arrow.Field{Name: name, Type: a.DataType(), Nullable: true}, a
	}
	schema := arrow.NewSchema(fields, nil)
	batch := array.NewRecordBatch(schema, columns, int64(t.rows))
	for _, a := range columns {
		a.Release()
	}
	defer batch.Release()
	return array.NewRecordReader(schema, []arrow.RecordBatch{batch})
}

func (t *jsonTable) parse(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	token, err := d.Token()
	switch {
	case err != nil:
		return jsonFault(err)
	case token != json.Delim('['):
		return fmt.Errorf("Entities must be a list of dictionaries.") //nolint:revive,staticcheck // Feast's text
	}
	for d.More() {
		if err := t.object(d); err != nil {
			return err
		}
		t.rows++
	}
	if _, err := d.Token(); err != nil {
		return jsonFault(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is text after the list")
	}
	return nil
}

// object reads one row.
func (t *jsonTable) object(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return jsonFault(err)
	}
	if token != json.Delim('{') {
		return fmt.Errorf("Entities must be a list of dictionaries.") //nolint:revive,staticcheck // Feast's text
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return jsonFault(err)
		}
		name, _ := token.(string)
		cell, err := d.Token()
		if err != nil {
			return jsonFault(err)
		}
		if _, nested := cell.(json.Delim); nested {
			return fmt.Errorf("row %d, column %q: lists and objects cannot be entity columns", t.rows+1, name)
		}
		t.set(name, cell)
	}
	_, err = d.Token()
	return jsonFault(err)
}

func (t *jsonTable) set(name string, cell any) {
	i, ok := t.index[name]
	if !ok {
		i = len(t.names)
		t.index[name], t.names, t.cells = i, append(t.names, name), append(t.cells, nil)
	}
	for len(t.cells[i]) <= t.rows {
		t.cells[i] = append(t.cells[i], nil)
	}
	t.cells[i][t.rows] = cell
}

func jsonFault(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // Decoder does not wrap them
		return fmt.Errorf("the text ends too early")
	}
	return err
}

// jsonColumn makes a column of the type that all cells have.
func jsonColumn(cells []any, rows int, t types.ValueType_Enum) (arrow.Array, error) {
	if t == types.ValueType_INT32 || t == types.ValueType_INT64 {
		var err error
		if cells, err = exactIntegers(cells); err != nil {
			return nil, err
		}
	}
	kind := jsonType(cells)
	b := array.NewBuilder(memory.DefaultAllocator, kind)
	defer b.Release()
	for row := range rows {
		if row >= len(cells) || cells[row] == nil {
			b.AppendNull()
			continue
		}
		if err := appendJSON(b, cells[row]); err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
	}
	return b.NewArray(), nil
}

// exactIntegers makes the cells of an integer join key integers if one of them is a
// number. They never become floats, which may round them to the key of another entity.
func exactIntegers(cells []any) ([]any, error) {
	isNumber := func(cell any) bool { _, ok := cell.(json.Number); return ok }
	if !slices.ContainsFunc(cells, isNumber) {
		return cells, nil
	}
	exact := make([]any, len(cells))
	for row, cell := range cells {
		if cell == nil {
			continue
		}
		token, err := json.Marshal(cell)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
		encoded, err := value.FromJSON(token, types.ValueType_INT64)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
		var v types.Value
		if err := proto.Unmarshal(encoded, &v); err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
		exact[row] = json.Number(strconv.FormatInt(v.GetInt64Val(), 10))
	}
	return exact, nil
}

// jsonType is the type of the first cell that has one; numbers with a fraction make all
// numbers of the column floats, as in pandas.
func jsonType(cells []any) arrow.DataType {
	kind := arrow.Null
	for _, cell := range cells {
		switch c := cell.(type) {
		case string:
			return arrow.BinaryTypes.String
		case bool:
			return arrow.FixedWidthTypes.Boolean
		case json.Number:
			if strings.ContainsAny(c.String(), ".eE") {
				return arrow.PrimitiveTypes.Float64
			}
			kind = arrow.PrimitiveTypes.Int64
		}
	}
	return kind
}

func appendJSON(b array.Builder, cell any) error {
	unlike := "no number"
	switch b := b.(type) {
	case *array.StringBuilder:
		unlike = "no text"
		if text, ok := cell.(string); ok {
			b.Append(text)
			return nil
		}
	case *array.BooleanBuilder:
		unlike = "neither true nor false"
		if v, ok := cell.(bool); ok {
			b.Append(v)
			return nil
		}
	case *array.Int64Builder:
		if n, ok := cell.(json.Number); ok {
			v, err := strconv.ParseInt(n.String(), 10, 64)
			if err != nil {
				return fmt.Errorf("%s is not a 64-bit integer", n)
			}
			b.Append(v)
			return nil
		}
	case *array.Float64Builder:
		if n, ok := cell.(json.Number); ok {
			v, err := strconv.ParseFloat(n.String(), 64)
			if err != nil {
				return fmt.Errorf("%s is not a 64-bit number", n)
			}
			if whole, err := strconv.ParseInt(n.String(), 10, 64); err == nil && int64(v) != whole {
				return fmt.Errorf("%s would lose digits beside numbers with a fraction", n)
			}
			b.Append(v)
			return nil
		}
	}
	return fmt.Errorf("%v is %s, as other cells of the column are; write all of them alike", cell, unlike)
}
