package parquet_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// FuzzAppendToParquet adds a row to files that are damaged anywhere: either it is
// there afterwards, with all others, or the file has not changed.
func FuzzAppendToParquet(f *testing.F) {
	for _, name := range []string{"int96.parquet", "int96_far.parquet"} {
		raw, err := os.ReadFile(filepath.Join("../testdata/parquet", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { appendToAny(t, "rows.parquet", raw) })
}

// FuzzAppendToCSV does the same with text files.
func FuzzAppendToCSV(f *testing.F) {
	for _, text := range []string{"at,x\n2024-01-01,1", "\xef\xbb\xbfat\r\n2024-01-01 00:00:00+00\r\n", "at,\"x\"\"\ny\"\n\"2024-01-01\",\"a\nb\"", "at,x\n\"2024", "at\n\n\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { appendToAny(t, "rows.csv", raw) })
}

// TestAppendToDamagedFiles does the same with some bytes changed.
func TestAppendToDamagedFiles(t *testing.T) {
	raw, err := os.ReadFile("../testdata/parquet/int96.parquet")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		damaged := slices.Clone(raw)
		for range 1 + random.IntN(4) {
			damaged[random.IntN(len(raw))] = byte(random.Uint32())
		}
		appendToAny(t, "rows.parquet", damaged)
	}
}

func appendToAny(t *testing.T, name string, raw []byte) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	store := parquet.New(dir)
	columns, err := store.Columns(t.Context(), sourceOf(name))
	if err != nil {
		return // FuzzParquet and FuzzCSV look at this
	}
	times := offline.Query{Source: sourceOf(name), Timestamp: "at"}
	before, readable := drain(t.Context(), store, times)
	_, err = store.Append(t.Context(), sourceOf(name), oneMore(columns))
	if err != nil {
		if !slices.Contains([]fault.Kind{fault.Invalid, fault.NotFound}, fault.KindOf(err)) {
			t.Errorf("%v: %v", err, fault.Cause(err))
		}
		if now := content(t, path); now != string(raw) || len(allFiles(t, dir)) != 1 {
			t.Errorf("%v, and the files are %q", err, allFiles(t, dir))
		}
		return
	}
	if readable != nil {
		return
	}
	after, err := drain(t.Context(), store, times)
	if err != nil || after != before+1 {
		t.Errorf("there were %d rows and are %d, %v: %v", before, after, err, fault.Cause(err))
	}
}

// oneMore is a row of a time and nulls.
func oneMore(columns []offline.Column) array.RecordReader {
	var fields []arrow.Field
	var cells []arrow.Array
	for _, c := range columns {
		a := arrow.Array(array.NewNull(1))
		if c.Name == "at" {
			b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"})
			b.Append(1704067200000)
			a = b.NewArray()
		}
		fields, cells = append(fields, arrow.Field{Name: c.Name, Type: a.DataType(), Nullable: true}), append(cells, a)
	}
	schema := arrow.NewSchema(fields, nil)
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{array.NewRecordBatch(schema, cells, 1)})
	if err != nil {
		panic(err) // a fault in this test
	}
	return r
}
