package parquet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// arrowBytes are two batches in Arrow's format of streams, or in that with an index.
func arrowBytes(t testing.TB, stream bool, options ...ipc.Option) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "category", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, row := range []string{`{"k": 1, "category": "a", "list": ["x"]}`, `{"k": null, "category": null, "list": null}`} {
		if err := b.UnmarshalJSON([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.NewRecordBatch()
	var out bytes.Buffer
	var w interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	options = append(options, ipc.WithSchema(schema))
	w = ipc.NewWriter(&out, options...)
	if !stream {
		var err error
		if w, err = ipc.NewFileWriter(&out, options...); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// arrowRows writes bytes to a file and reads it: the number of its rows, or the error.
func arrowRows(t testing.TB, dir string, b []byte) (rows int64, err error) {
	t.Helper()
	path := filepath.Join(dir, "rows.arrow")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := parquet.Table(t.Context(), path, nil)
	if err != nil {
		return 0, err
	}
	defer r.Release()
	for r.Next() {
		rows += r.RecordBatch().NumRows()
	}
	return rows, r.Err()
}

func TestTableOfArrow(t *testing.T) {
	for _, stream := range []bool{false, true} {
		if rows, err := arrowRows(t, t.TempDir(), arrowBytes(t, stream)); err != nil || rows != 4 {
			t.Errorf("stream %t: %d rows, %v", stream, rows, err)
		}
	}
}

// A file with an index that was cut is refused. A stream may end after any batch; cut
// elsewhere, it is refused.
func TestArrowFilesThatWereCut(t *testing.T) {
	dir := t.TempDir()
	for _, stream := range []bool{false, true} {
		whole := arrowBytes(t, stream)
		for n := range whole {
			rows, err := arrowRows(t, dir, whole[:n])
			if err == nil && (!stream || rows%2 != 0) || err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("stream %t, %d of %d bytes: %d rows, %v", stream, n, len(whole), rows, err)
			}
		}
	}
}

// Damage anywhere gives other cells or an error; it never ends the program.
func TestArrowFilesThatAreDamaged(t *testing.T) {
	dir := t.TempDir()
	for name, whole := range map[string][]byte{"plain": arrowBytes(t, false), "compressed": arrowBytes(t, true, ipc.WithLZ4())} {
		if rows, err := arrowRows(t, dir, whole); err != nil || rows != 4 {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
		for i := range whole {
			values := []byte{0, 0x7f, 0xff}
			if !offlinetest.Everything() {
				values = values[i%3 : i%3+1]
			}
			for _, b := range values {
				damaged := bytes.Clone(whole)
				damaged[i] = b
				if _, err := arrowRows(t, dir, damaged); err != nil && fault.KindOf(err) != fault.Invalid {
					t.Fatalf("%s, byte %d is %d: %v", name, i, b, err)
				}
			}
		}
	}
}

func FuzzTableOfArrow(f *testing.F) {
	dir := f.TempDir()
	f.Add(arrowBytes(f, false))
	f.Add(arrowBytes(f, true))
	f.Add(arrowBytes(f, true, ipc.WithZstd()))
	f.Add([]byte("\xff\xff\xff\xff\x10\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := arrowRows(t, dir, b); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Error(err)
		}
	})
}
