package parquet_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestBatchesAreBoundedByBytes: 100 rows of one megabyte each, which a Parquet
// file stores in one megabyte by a dictionary, arrive a few at a time.
func TestBatchesAreBoundedByBytes(t *testing.T) {
	const rows, most = 100, 40 << 20
	dir := t.TempDir()
	wide := strings.Repeat("m", 1<<20)
	writeRepeated(t, filepath.Join(dir, "rows.parquet"), wide, rows)
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte("at,x\n"+strings.Repeat("2024-01-01,"+wide+"\n", rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rows.parquet", "rows.csv"} {
		reader, err := parquet.New(dir).Range(t.Context(), ask(name))
		if err != nil {
			t.Fatal(err)
		}
		read := int64(0)
		for reader.Next() {
			n := reader.RecordBatch().NumRows()
			if read += n; n<<20 > most {
				t.Errorf("%s: a batch of %d MB", name, n)
			}
		}
		if read != rows || reader.Err() != nil {
			t.Errorf("%s: %d rows, %v", name, read, reader.Err())
		}
		reader.Release()
	}
}

func writeRepeated(t *testing.T, path, cell string, rows int) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String}, {Name: "at", Type: stamp}}, nil)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, pq.NewWriterProperties(pq.WithDictionaryPageSizeLimit(1<<30)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for range rows {
		b.Field(0).(*array.StringBuilder).Append(cell)
		b.Field(1).(*array.TimestampBuilder).Append(0)
	}
	if err := w.Write(b.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNestedCellsOverManyBatches come out as they went in, wherever a batch
// ends.
func TestNestedCellsOverManyBatches(t *testing.T) {
	const rows = 3000
	dir := t.TempDir()
	text := arrow.BinaryTypes.String
	cell := arrow.StructOf(
		arrow.Field{Name: "a", Type: arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int64)), Nullable: true},
		arrow.Field{Name: "b", Type: arrow.MapOf(text, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64)), Nullable: true},
		arrow.Field{Name: "c", Type: text, Nullable: true},
	)
	want := make([]string, rows)
	for i := range want {
		switch i % 5 {
		case 0:
			want[i] = "null"
		case 1:
			want[i] = fmt.Sprintf(`{"a":[[%d,null],null,[]],"b":[{"key":"k%d","value":[1,%d]}],"c":null}`, i, i, i)
		case 2:
			want[i] = fmt.Sprintf(`{"a":null,"b":null,"c":"%d"}`, i)
		default:
			want[i] = fmt.Sprintf(`{"a":[],"b":[{"key":"x","value":[0,1]},{"key":"y","value":[%d,0]}],"c":""}`, i)
		}
	}
	groups := make([]string, 0, 2)
	for _, half := range [][]string{want[:700], want[700:]} {
		groups = append(groups, `[{"at":"2024-01-01T00:00:00Z","x":`+strings.Join(half, `},{"at":"2024-01-01T00:00:00Z","x":`)+"}]")
	}
	write(t, filepath.Join(dir, "rows.parquet"), cell, groups...)
	reader, err := parquet.New(dir).Range(t.Context(), ask("rows.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	at, batches := 0, 0
	for reader.Next() {
		batches++
		x := reader.RecordBatch().Column(0)
		for i := range x.Len() {
			got, err := json.Marshal(x.GetOneForMarshal(i))
			if err != nil || string(got) != want[at] {
				t.Fatalf("row %d: %s, %v; want %s", at, got, err, want[at])
			}
			at++
		}
	}
	if at != rows || batches < 5 || reader.Err() != nil {
		t.Errorf("%d rows in %d batches, %v", at, batches, reader.Err())
	}
}
