package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// everyCell has a column of each kind of cells.
func everyCell(t *testing.T) arrow.RecordBatch {
	t.Helper()
	us := &arrow.TimestampType{Unit: arrow.Microsecond}
	var fields []arrow.Field
	var columns []arrow.Array
	for _, c := range []struct {
		name string
		kind arrow.DataType
		json string
	}{
		{"a", arrow.PrimitiveTypes.Float64, `[1.5, null, 1e300, 911087]`},
		{"s/é", arrow.BinaryTypes.String, `["a/b\"", "é🍔\u2028", "\u0001\u007f\t\n\\", ""]`},
		{"b", arrow.FixedWidthTypes.Boolean, `[true, null, false, true]`},
		{"t", us, `[1704067200900000, null, -1500000, 0]`},
		{"l", arrow.ListOf(arrow.BinaryTypes.String), `[["a", null], [], null, ["\""]]`},
		{"m", arrow.ListOf(us), `[[1704067200000000], null, [null], []]`},
		{"y", arrow.BinaryTypes.Binary, `["YWJj", null, "/w==", ""]`},
		{"d", &arrow.Decimal128Type{Precision: 5, Scale: 2}, `["1.50", null, "-0.01", "0"]`},
		{"o", arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}), `[{"x": 1}, null, {"x": null}, {"x": 2}]`},
		{"p", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float32), `[[{"key": "k", "value": 0.1}], [], null, [{"key": "k", "value": null}]]`},
		{"n", arrow.Null, `[null, null, null, null]`},
	} {
		b := array.NewBuilder(memory.DefaultAllocator, c.kind)
		if err := b.UnmarshalJSON([]byte(c.json)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		fields, columns = append(fields, arrow.Field{Name: c.name, Type: c.kind, Nullable: true}), append(columns, b.NewArray())
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 4)
}

func written(t *testing.T, batch arrow.RecordBatch, open func(*bytes.Buffer) (tableWriter, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The expected text is that of pandas 2.3.3 for the same cells, DataFrame.to_json with
// orient="records" and indent=4, but for the digits of floats, which pandas cuts.
func TestFeastsRecords(t *testing.T) {
	batch := everyCell(t)
	got := written(t, batch, func(b *bytes.Buffer) (tableWriter, error) { return newJSONTable(b, batch.Schema()) })
	first, _, _ := strings.Cut(got, "\n    },")
	want := `[
    {
        "a":1.5,
        "s\/\u00e9":"a\/b\"",
        "b":true,
        "t":1704067200,
        "l":[
            "a",
            null
        ],
        "m":[
            1704067200000
        ],
        "y":"abc",
        "d":1.5,
        "o":{
            "x":1
        },
        "p":{
            "k":0.1
        },
        "n":null`
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, part := range []string{
		`"s\/\u00e9":"\u00e9\ud83c\udf54\u2028"`, `"s\/\u00e9":"\u0001` + "\x7f" + `\t\n\\"`, "\"l\":[\n\n        ]", "\"p\":{\n\n        }", `"a":1e+300`, `"a":911087.0`, `"t":-1,`, `"y":"\/w=="`, `"d":-0.01`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in\n%s", part, got)
		}
	}
	empty := written(t, batch.NewSlice(0, 0), func(b *bytes.Buffer) (tableWriter, error) { return newJSONTable(b, batch.Schema()) })
	if empty != "[\n\n]\n" {
		t.Errorf("no rows: %q", empty)
	}
}

func TestCSV(t *testing.T) {
	batch := everyCell(t)
	got := written(t, batch, func(b *bytes.Buffer) (tableWriter, error) { return newCSVTable(b, batch.Schema()) })
	want := "a,s/é,b,t,l,m,y,d,o,p,n\n" +
		`1.5,"a/b""",true,2024-01-01T00:00:00.9,"[""a"",null]","[""2024-01-01T00:00:00""]",YWJj,1.50,"{""x"":1}","{""k"":0.1}",` + "\n" +
		",é🍔\u2028,,,[],,,,,{},\n" +
		"1e+300,\"\x01\x7f\t\n\\\",false,1969-12-31T23:59:58.5,,[null],/w==,-0.01,\"{\"\"x\"\":null}\",,\n" +
		`911087.0,"",true,1970-01-01T00:00:00,"[""\""""]",[],"",0.00,"{""x"":2}","{""k"":null}",` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The binary formats take every column.
func TestBinaryFormats(t *testing.T) {
	batch := everyCell(t)
	for name, open := range map[string]func(*bytes.Buffer) (tableWriter, error){
		"parquet": func(b *bytes.Buffer) (tableWriter, error) { return newParquetTable(b, batch.Schema()) },
		"arrow":   func(b *bytes.Buffer) (tableWriter, error) { return newArrowTable(b, batch.Schema()) },
	} {
		if written(t, batch, open) == "" {
			t.Errorf("%s: nothing", name)
		}
	}
}

// A column that Parquet cannot hold is refused, not a crash.
func TestParquetRefuses(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.FixedWidthTypes.MonthInterval}}, nil)
	_, err := newParquetTable(&bytes.Buffer{}, schema)
	if err == nil || !strings.Contains(cannotWrite("x", err).Error(), "Parquet cannot hold column i (month_interval)") {
		t.Errorf("%v", err)
	}
}
