package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

var stamp = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// write makes a Parquet file with columns x and at. Each text of rows is a row
// group in JSON; at is filled in where it is missing.
func write(t testing.TB, path string, x arrow.DataType, rows ...string) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: x, Nullable: true}, {Name: "at", Type: stamp, Nullable: true}}, nil)
	writeAs(t, path, schema, rows...)
}

func writeAs(t testing.TB, path string, schema *arrow.Schema, rows ...string) {
	t.Helper()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, pq.NewWriterProperties(pq.WithDictionaryDefault(false)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range rows {
		record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(group))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// group is a row group of n rows, all with the given x.
func group(n int, x string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"x":%s,"at":"2024-01-01T00:00:00Z"},`, x), n), ",") + "]"
}

// drain reads a query to its end and counts the rows.
func drain(ctx context.Context, store *parquet.Store, query offline.Query) (rows int64, err error) {
	reader, err := store.Range(ctx, query)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
	}
	if reader.Next() {
		return rows, fmt.Errorf("rows behind the end")
	}
	return rows, reader.Err()
}

func ask(path string) offline.Query {
	return offline.Query{Source: sourceOf(path), Columns: []string{"x"}, Timestamp: "at"}
}

// TestFilesThatAreNoParquet: errors say what the files are instead.
func TestFilesThatAreNoParquet(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.parquet"), arrow.BinaryTypes.String, group(10, `"a"`))
	good, err := os.ReadFile(filepath.Join(dir, "good.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	end := len(good)
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"0 bytes", nil, "is not a Parquet file"},
		{"text", []byte("at,x\n2024-01-01,1\n"), "is not a Parquet file; the name of a CSV file must end in .csv"},
		{"cut short", good[:end-10], "is a Parquet file that lacks its end; it was cut short or is still being written"},
		{"encrypted", append(bytes.Clone(good[:end-4]), "PARE"...), "is encrypted, which is not supported; write it without encryption"},
		{"a footer that is none", append(append(bytes.Clone(good[:end-60]), bytes.Repeat([]byte{0xff}, 52)...), good[end-8:]...), "is damaged, or has an unsupported encoding; write the file again"},
		{"a footer longer than the file", append(bytes.Clone(good[:end-8]), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'), "is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "bad.parquet")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := drain(t.Context(), parquet.New(dir), ask("bad.parquet"))
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	t.Run("a pipe is not waited for", func(t *testing.T) {
		if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := drain(t.Context(), parquet.New(dir), ask("pipe")); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "is not a regular file") {
			t.Error(err)
		}
	})
	t.Run("a column that is not there", func(t *testing.T) {
		query := ask("good.parquet")
		query.Columns = []string{"y"}
		if _, err := drain(t.Context(), parquet.New(dir), query); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), `has no column y; its columns are ["x" "at"]`) {
			t.Error(err)
		}
	})
}

// rewrite changes the metadata of a file.
func rewrite(t *testing.T, path string, change func(r *file.Reader)) {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	change(r)
	footer, err := r.MetaData().Serialize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := int(raw[len(raw)-8]) | int(raw[len(raw)-7])<<8 | int(raw[len(raw)-6])<<16
	raw = append(raw[:len(raw)-8-old], footer...)
	n := len(footer)
	raw = append(raw, byte(n), byte(n>>8), byte(n>>16), byte(n>>24), 'P', 'A', 'R', '1')
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestColumnsThatCannotBeRead matter only to queries that request them.
func TestColumnsThatCannotBeRead(t *testing.T) {
	const size = 300
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   string
		rows   int64 // read before the failure
	}{
		{"a codec that is not read", func(t *testing.T, path string) {
			rewrite(t, path, func(r *file.Reader) { r.MetaData().RowGroups[1].Columns[0].MetaData.Codec = 3 })
		}, "column x is compressed with LZO, which is not supported; write it with snappy or zstd", size},
		{"a page that is damaged", func(t *testing.T, path string) {
			damagePage(t, path, 1)
		}, "row 301, column x is damaged, or has an unsupported encoding; write the file again", size},
		{"fewer rows than the file says", func(t *testing.T, path string) {
			rewrite(t, path, func(r *file.Reader) { r.MetaData().RowGroups[1].NumRows++ })
		}, "row 601, column x is damaged", size},
		{"pages behind the end", func(t *testing.T, path string) {
			rewrite(t, path, func(r *file.Reader) { r.MetaData().RowGroups[1].Columns[0].MetaData.DataPageOffset = 1 << 40 })
		}, "column x is damaged", size},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "rows.parquet")
			write(t, path, arrow.BinaryTypes.String, group(size, `"a"`), group(size, `"b"`), group(size, `"c"`))
			c.change(t, path)
			rows, err := drain(t.Context(), parquet.New(dir), ask("rows.parquet"))
			if fault.KindOf(err) != fault.Invalid || rows != c.rows || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d rows, then %v; want %d and %q", rows, err, c.rows, c.want)
			}
			if strings.HasPrefix(c.name, "fewer") {
				return // the row group has no rows that count
			}
			query := ask("rows.parquet")
			query.Columns = []string{"at"}
			if rows, err := drain(t.Context(), parquet.New(dir), query); rows != 3*size || err != nil {
				t.Errorf("without x: %d rows, %v", rows, err)
			}
		})
	}
}

// TestOldTimesOutOfRange are refused with their row, since they would become
// other times: INT96 has a wider range than 64-bit nanoseconds.
func TestOldTimesOutOfRange(t *testing.T) {
	_, err := drain(t.Context(), parquet.New("../testdata/parquet"), ask("int96_far.parquet"))
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "int96_far.parquet, row 2, column x: the time does not fit nanoseconds") {
		t.Error(err)
	}
}

// damagePage breaks the first page of x in a row group.
func damagePage(t *testing.T, path string, group int) {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	at := r.MetaData().RowGroups[group].Columns[0].MetaData.DataPageOffset
	_ = r.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		raw[at+int64(i)] ^= 0xff
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAFileThatIsChangedWhileItIsRead: it is not reported as damaged.
func TestAFileThatIsChangedWhileItIsRead(t *testing.T) {
	for _, name := range []string{"rows.parquet", "rows.csv"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if name == "rows.csv" {
				if err := os.WriteFile(path, []byte("at,x\n"+strings.Repeat("2024-01-01,1\n", 100000)), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, path, arrow.BinaryTypes.String, group(20000, `"a"`), group(20000, `"b"`))
			}
			reader, err := parquet.New(dir).Range(t.Context(), ask(name))
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Release()
			if !reader.Next() {
				t.Fatal(reader.Err())
			}
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
			for reader.Next() {
			}
			if err := reader.Err(); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), path+" was changed while it was read") {
				t.Error(err)
			}
		})
	}
}

// TestReadingEndsWhenItIsCanceled: at once, and nothing is left open.
func TestReadingEndsWhenItIsCanceled(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rows.parquet"), arrow.BinaryTypes.String, group(20000, `"a"`), group(20000, `"b"`))
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte("at,x\n"+strings.Repeat("2024-01-01,1\n", 80000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rows.parquet", "rows.csv"} {
		t.Run(name, func(t *testing.T) {
			before, files := runtime.NumGoroutine(), openFiles(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			reader, err := parquet.New(dir).Range(ctx, ask(name))
			if err != nil {
				t.Fatal(err)
			}
			if !reader.Next() {
				t.Fatal(reader.Err())
			}
			cancel()
			start := time.Now()
			for reader.Next() {
			}
			if fault.KindOf(reader.Err()) != fault.Canceled || time.Since(start) > time.Second {
				t.Errorf("%v after %s", reader.Err(), time.Since(start))
			}
			reader.Release()
			unread, err := parquet.New(dir).Range(t.Context(), ask(name))
			if err != nil {
				t.Fatal(err)
			}
			unread.Release()
			half, err := parquet.New(dir).Range(t.Context(), ask(name))
			if err != nil || !half.Next() {
				t.Fatal(err)
			}
			half.Release()
			if n := runtime.NumGoroutine(); n > before {
				t.Errorf("%d goroutines, then %d", before, n)
			}
			if n := openFiles(t); n != files {
				t.Errorf("%d open files, then %d", files, n)
			}
		})
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestAFileThatGrowsWhileItIsRead gives the rows that are whole; of the last one
// only a part may have been written.
func TestAFileThatGrowsWhileItIsRead(t *testing.T) {
	for more, want := range map[string]string{
		"2024-01-01,23\n":          "",
		"2024-01-01,23\r\n":        "",
		"2024-01-01,2":             "was changed while it was read",
		"2024-01-01,\"a\nb\"":      "was changed while it was read",
		"2024-01-01,\"a\n":         "was changed while it was read",
		"2024-01-01,23\n2024-01-0": "was changed while it was read",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "rows.csv")
		if err := os.WriteFile(path, []byte("at,x\n"+strings.Repeat("2024-01-01,1\n", 100000)), 0o600); err != nil {
			t.Fatal(err)
		}
		query := ask("rows.csv")
		query.Types = []types.ValueType_Enum{types.ValueType_STRING}
		reader, err := parquet.New(dir).Range(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if !reader.Next() {
			t.Fatal(reader.Err())
		}
		out, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString(more); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		for reader.Next() {
		}
		err = reader.Err()
		if (want == "") != (err == nil) || err != nil && (fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", more, err)
		}
		reader.Release()
	}
}
