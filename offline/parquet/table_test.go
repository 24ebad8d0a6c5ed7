package parquet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// A table has all columns and rows of a file, in their order; the cells of CSV are read
// as the types that are asked for.
func TestTableOfCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loans.csv")
	text := "\ufeffzip,loan,asked_at,note,event_timestamp,none\n01234,007,2024-01-02T03:04:05+09:00,\"a,b\",2024-01-01,\n,9007199254740993,,x,,\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := parquet.Table(t.Context(), path, map[string]types.ValueType_Enum{"loan": types.ValueType_INT64, "event_timestamp": types.ValueType_STRING})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var got []string
	for _, f := range r.Schema().Fields() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	for r.Next() {
		for row := range int(r.RecordBatch().NumRows()) {
			var cells []string
			for _, c := range r.RecordBatch().Columns() {
				cells = append(cells, c.ValueStr(row))
			}
			got = append(got, strings.Join(cells, "|"))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	want := []string{
		"zip utf8", "loan int64", "asked_at timestamp[us, tz=UTC]", "note utf8", "event_timestamp utf8", "none null",
		"01234|7|2024-01-01T18:04:05Z|a,b|2024-01-01|(null)", "(null)|9007199254740993|(null)|x|(null)|(null)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A column of numbers is one, however they are written: a label "12.50" is no text. Codes
// stay as they are.
func TestTableOfNumbersInCSV(t *testing.T) {
	for cells, want := range map[string]string{
		"12.50,3":               "float64 12.5 3",
		"1,2.5":                 "float64 1 2.5",
		"1e-05,inf":             "float64 1e-05 +Inf",
		"1e5,":                  "float64 100000 (null)",
		"+1,-0":                 "int64 1 0",
		"1,9223372036854775808": "utf8 1 9223372036854775808",
		"01234,5":               "utf8 01234 5",
		"00.5,1":                "utf8 00.5 1",
		"1_000,2":               "utf8 1_000 2",
		"0x10,2":                "utf8 0x10 2",
	} {
		path := filepath.Join(t.TempDir(), "loans.csv")
		if err := os.WriteFile(path, []byte("k,x\n1,"+strings.Replace(cells, ",", "\n1,", 1)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := parquet.Table(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Schema().Field(1).Type.String()
		for r.Next() {
			for row := range int(r.RecordBatch().NumRows()) {
				got += " " + r.RecordBatch().Column(1).ValueStr(row)
			}
		}
		if r.Err() != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", cells, got, r.Err(), want)
		}
		r.Release()
	}
}

func TestTableRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"bad.csv":     {"k\nx\n", `bad.csv, line 2, column k: "x" is not a 64-bit integer`},
		"empty.csv":   {"", "is empty; its first line must name the columns"},
		"no.parquet":  {"k\n1\n", "no.parquet is not a Parquet file"},
		"missing.csv": {"", "missing.csv"},
		"excel.csv":   {"k;event_timestamp\n1;2024-01-01\n", "excel.csv has columns separated by semicolons; separate them by commas"},
	} {
		path := filepath.Join(dir, name)
		if name != "missing.csv" {
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := parquet.Table(t.Context(), path, map[string]types.ValueType_Enum{"k": types.ValueType_INT64})
		if err == nil {
			for r.Next() {
				continue
			}
			err = r.Err()
			r.Release()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// Cells that do not fit their column are null and told, with their row over all batches.
func TestCellsThatDoNotFit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	var text strings.Builder
	text.WriteString("k,s\n")
	const rows, bad = 200_000, 150_000
	for i := range rows {
		cell := strconv.Itoa(i)
		if i == 0 || i == bad {
			cell = "x"
		}
		text.WriteString(cell + ",a\n")
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	told := ""
	r, err := parquet.Cells(t.Context(), path, map[string]types.ValueType_Enum{"k": types.ValueType_INT64}, func(c parquet.RefusedCell) {
		told += fmt.Sprintf("%s %d %s %v\n", c.Column, c.Row, c.Text, c.Err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	read, nulls, batches := int64(0), 0, 0
	for r.Next() {
		batch := r.RecordBatch()
		read, nulls, batches = read+batch.NumRows(), nulls+batch.Column(0).NullN(), batches+1
	}
	if r.Err() != nil || read != rows || nulls != 2 || batches < 2 {
		t.Errorf("%d rows in %d batches with %d nulls, %v", read, batches, nulls, r.Err())
	}
	if want := "k 0 x \"x\" is not a 64-bit integer\nk 150000 x \"x\" is not a 64-bit integer\n"; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}
