package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// copied is a copy of a file of the repository.
func copied(t *testing.T, name string) (root string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../testdata/parquet", name))
	if err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	if err := os.WriteFile(filepath.Join(root, name), raw, 0o640); err != nil {
		t.Fatal(err)
	}
	return root
}

// whole reads all rows and columns of a source.
func whole(t *testing.T, store *parquet.Store, path string) arrow.RecordBatch {
	t.Helper()
	q := offline.Query{Source: sourceOf(path), Timestamp: "at"}
	columns, err := store.Columns(t.Context(), q.Source)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		if c.Name != "at" {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	r, err := store.Range(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var batches []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		batches = append(batches, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	table := array.NewTableFromRecords(r.Schema(), batches)
	columnsOf := make([]arrow.Array, table.NumCols())
	for i := range columnsOf {
		if columnsOf[i], err = array.Concatenate(table.Column(i).Data().Chunks(), memory.DefaultAllocator); err != nil {
			t.Fatal(err)
		}
	}
	return array.NewRecordBatch(r.Schema(), columnsOf, table.NumRows())
}

func readerOf(t *testing.T, batches ...arrow.RecordBatch) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(batches[0].Schema(), batches)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Release)
	return r
}

// What a file holds can be added to it again, whatever its types and whoever wrote
// it; the types stay.
func TestAppendToEveryKindOfColumn(t *testing.T) {
	for _, name := range []string{"kinds.parquet", "int96.parquet"} {
		t.Run(name, func(t *testing.T) {
			store := parquet.New(copied(t, name))
			before := whole(t, store, name)
			n, err := store.Append(t.Context(), sourceOf(name), readerOf(t, before))
			if err != nil || n != before.NumRows() {
				t.Fatalf("%d rows, %v (%v)", n, err, fault.Cause(err))
			}
			after := whole(t, store, name)
			if !after.Schema().Equal(before.Schema()) {
				t.Errorf("the schema was %v and is %v", before.Schema(), after.Schema())
			}
			for i, c := range before.Columns() {
				rows := int64(c.Len())
				if !array.SliceEqual(c, 0, rows, after.Column(i), 0, rows) || !array.SliceEqual(c, 0, rows, after.Column(i), rows, 2*rows) {
					t.Errorf("%s: %s became %s", before.ColumnName(i), text(c), text(after.Column(i)))
				}
			}
		})
	}
}

// few are rows of a key and a time.
func few(t *testing.T, keys ...string) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, key := range keys {
		for field, text := range []string{key, fmt.Sprintf("2024-01-%02dT00:00:00Z", i+1)} {
			if err := b.Field(field).AppendValueFromString(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	return readerOf(t, b.NewRecordBatch())
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A CSV file keeps its bytes; the new lines end and are quoted as its own.
func TestAppendToCSV(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"LF":                         {"k,at\na,2024-01-01\n", "k,at\na,2024-01-01\n" + `"x,""y""",2024-01-01 00:00:00+00:00` + "\n,2024-01-02 00:00:00+00:00\n"},
		"CR LF":                      {"at,k\r\n2024-01-01,a\r\n", "at,k\r\n2024-01-01,a\r\n" + `2024-01-01 00:00:00+00:00,"x,""y"""` + "\r\n2024-01-02 00:00:00+00:00,\r\n"},
		"no end of the last line":    {"k,at\na,2024-01-01", "k,at\na,2024-01-01\n" + `"x,""y""",2024-01-01 00:00:00+00:00` + "\n,2024-01-02 00:00:00+00:00\n"},
		"a byte order mark":          {"\xef\xbb\xbfk,at\n", "\xef\xbb\xbfk,at\n" + `"x,""y""",2024-01-01 00:00:00+00:00` + "\n,2024-01-02 00:00:00+00:00\n"},
		"only the names of columns":  {"k,at", "k,at\n" + `"x,""y""",2024-01-01 00:00:00+00:00` + "\n,2024-01-02 00:00:00+00:00\n"},
		"names in quotes, and blank": {"\"k\",at\n\na,2024-01-01\n\n", "\"k\",at\n\na,2024-01-01\n\n" + `"x,""y""",2024-01-01 00:00:00+00:00` + "\n,2024-01-02 00:00:00+00:00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			writeFile(t, filepath.Join(root, "t.csv"), c.before)
			n, err := parquet.New(root).Append(t.Context(), sourceOf("t.csv"), few(t, `x,"y"`, array.NullValueStr))
			if err != nil || n != 2 {
				t.Fatalf("%d rows, %v", n, err)
			}
			if diff := cmp.Diff(c.after, content(t, filepath.Join(root, "t.csv"))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What CSV cannot hold is refused.
func TestCellsThatCSVDoesNotHold(t *testing.T) {
	f64 := arrow.PrimitiveTypes.Float64
	for _, c := range []struct {
		of         arrow.DataType
		cell, says string
	}{
		{arrow.BinaryTypes.String, "NA", `column v, row 1: "NA" would be read as null`},
		{arrow.BinaryTypes.String, "", `column v, row 1: "" would be read as null`},
		{arrow.BinaryTypes.String, "a\x00b", "column v, row 1: \"a\\x00b\" holds a NUL byte"},
		{f64, "NaN", `column v, row 1: "NaN" would be read as null`},
		{arrow.BinaryTypes.Binary, "/w==", "is not UTF-8 text"},
		{arrow.ListOf(f64), "[1]", "column v of the rows is of type list"},
	} {
		root := t.TempDir()
		writeFile(t, filepath.Join(root, "t.csv"), "v\n")
		b := array.NewBuilder(memory.DefaultAllocator, c.of)
		if err := b.AppendValueFromString(c.cell); err != nil {
			t.Fatal(err)
		}
		rows := readerOf(t, array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "v", Type: c.of}}, nil), []arrow.Array{b.NewArray()}, 1))
		_, err := parquet.New(root).Append(t.Context(), sourceOf("t.csv"), rows)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %q: %v (%v), want %s", c.of, c.cell, err, fault.KindOf(err), c.says)
		}
		if content(t, filepath.Join(root, "t.csv")) != "v\n" || len(allFiles(t, root)) != 1 {
			t.Errorf("%s %q: the file has changed, or others are left: %q", c.of, c.cell, allFiles(t, root))
		}
	}
}

// made writes a Parquet file by Create.
func made(t *testing.T, root, path string, keys ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := parquet.New(root).Create(t.Context(), sourceOf(path), few(t, keys...), false); err != nil {
		t.Fatal(err)
	}
}

// keysOf reads the keys of a source.
func keysOf(t *testing.T, root, path string) string {
	t.Helper()
	r, err := parquet.New(root).Range(t.Context(), offline.Query{Source: sourceOf(path), Columns: []string{"k"}, Timestamp: "at"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var keys []string
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			keys = append(keys, r.RecordBatch().Column(0).ValueStr(i))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return strings.Join(keys, " ")
}

// A directory gets a file; one whose directories hold values is refused, and so is
// a pattern.
func TestAppendToDirectories(t *testing.T) {
	root := t.TempDir()
	made(t, root, "plain/a.parquet", "a")
	made(t, root, "parts/day=1/a.parquet", "a")
	writeFile(t, filepath.Join(root, "text/a.csv"), "k,at\r\na,2024-01-01\r\n")
	writeFile(t, filepath.Join(root, "void/_SUCCESS"), "")
	store := parquet.New(root)
	for _, path := range []string{"plain", "text"} {
		before := len(allFiles(t, root))
		if n, err := store.Append(t.Context(), sourceOf(path), few(t, "b")); err != nil || n != 1 {
			t.Errorf("%s: %d rows, %v (%v)", path, n, err, fault.Cause(err))
		}
		if n, err := store.Append(t.Context(), sourceOf(path), few(t)); err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v (%v)", path, n, err, fault.Cause(err))
		}
		if got := keysOf(t, root, path); got != "a b" || len(allFiles(t, root)) != before+1 {
			t.Errorf("%s: keys %s, files %q", path, got, allFiles(t, root))
		}
	}
	for path, want := range map[string]struct {
		kind fault.Kind
		says string
	}{
		"parts":          {fault.Unimplemented, "has directories that hold the value of a column, as in day=1/a.parquet"},
		"plain/*":        {fault.Invalid, "is a pattern, to which nothing can be written"},
		"void":           {fault.NotFound, "holds no Parquet or CSV file"},
		"nowhere/x.csv":  {fault.NotFound, "does not exist"},
		"s3://bucket/x":  {fault.Unimplemented, "s3:// paths are not supported yet"},
		"plain/a.parque": {fault.NotFound, "does not exist"},
	} {
		before := allFiles(t, root)
		_, err := store.Append(t.Context(), sourceOf(path), few(t, "b"))
		if fault.KindOf(err) != want.kind || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v (%v), want %s", path, err, fault.KindOf(err), want.says)
		}
		if diff := cmp.Diff(before, allFiles(t, root)); diff != "" {
			t.Errorf("%s: files (-before +after)\n%s", path, diff)
		}
	}
}

// A link stays a link, and a file its mode.
func TestAppendThroughALink(t *testing.T) {
	root := t.TempDir()
	made(t, root, "data/a.parquet", "a")
	if err := os.Chmod(filepath.Join(root, "data/a.parquet"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("data", "a.parquet"), filepath.Join(root, "link.parquet")); err != nil {
		t.Fatal(err)
	}
	if _, err := parquet.New(root).Append(t.Context(), sourceOf("link.parquet"), few(t, "b")); err != nil {
		t.Fatal(err)
	}
	link, err := os.Lstat(filepath.Join(root, "link.parquet"))
	if err != nil || link.Mode()&os.ModeSymlink == 0 || keysOf(t, root, "data/a.parquet") != "a b" {
		t.Errorf("%v, %v; keys %s", link, err, keysOf(t, root, "data/a.parquet"))
	}
	if info, err := os.Stat(filepath.Join(root, "data/a.parquet")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// The physical types and the compression of a file stay, and columns that must not
// be null refuse it.
func TestAppendKeepsHowAFileIsStored(t *testing.T) {
	root := t.TempDir()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "k", Type: arrow.BinaryTypes.String},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Millisecond}, Nullable: true},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}, Nullable: true},
	}, nil)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, pq.NewWriterProperties(pq.WithCompression(compress.Codecs.Gzip), pq.WithStoreDecimalAsInteger(true), pq.WithPageIndexEnabled(true), pq.WithBloomFilterEnabledFor("k", true)),
		pqarrow.NewArrowWriterProperties())
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i, cell := range []string{"a", "2024-01-01 00:00:00", "1.25"} {
		if err := b.Field(i).AppendValueFromString(cell); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteBuffered(b.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.AppendKeyValueMetadata("owner", "me"), w.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "a.parquet")
	writeFile(t, path, out.String())
	store := parquet.New(root)
	whole := whole(t, store, "a.parquet")
	for range 2 {
		if _, err := store.Append(t.Context(), sourceOf("a.parquet"), readerOf(t, whole)); err != nil {
			t.Fatalf("%v (%v)", err, fault.Cause(err))
		}
	}
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for g := range 3 {
		for c := range 3 {
			chunk, err := r.MetaData().RowGroup(g).ColumnChunk(c)
			if err != nil || chunk.Compression() != compress.Codecs.Gzip {
				t.Errorf("row group %d, column %d: %v, %v", g, c, chunk.Compression(), err)
			}
		}
	}
	if owner := r.MetaData().KeyValueMetadata().FindValue("owner"); owner == nil || *owner != "me" || r.NumRows() != 3 {
		t.Errorf("owner %v, %d rows", owner, r.NumRows())
	}
	column, err := r.RowGroup(2).Column(0)
	if err != nil || r.MetaData().Schema.Column(2).PhysicalType() != pq.Types.Int32 {
		t.Errorf("%v, %v", column, err)
	}
	if _, err := store.Append(t.Context(), sourceOf("a.parquet"), nulls(t, whole.Schema())); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "column k, row 1: the cell is null, and the column must not be") {
		t.Errorf("a null key: %v", err)
	}
}

// nulls is a row of nulls.
func nulls(t *testing.T, schema *arrow.Schema) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range schema.NumFields() {
		b.Field(i).AppendNull()
	}
	return readerOf(t, b.NewRecordBatch())
}

// Create says what is in the way.
func TestCreateOfFiles(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	store := parquet.New(root)
	for _, c := range []struct {
		path    string
		replace bool
		kind    fault.Kind
		says    string
	}{
		{"dir", true, fault.Conflict, "exists already, and was not made by banquet"},
		{"dir", false, fault.Conflict, "exists already"},
		{"none/a.parquet", false, fault.NotFound, "none does not exist; create it"},
		{"a.csv", false, fault.Invalid, "would be a CSV file"},
		{"s3://bucket/a.parquet", false, fault.Unimplemented, "s3:// paths are not supported yet"},
	} {
		_, err := store.Create(t.Context(), sourceOf(c.path), few(t, "a"), c.replace)
		if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%v), want %s", c.path, err, fault.KindOf(err), c.says)
		}
	}
	if got := allFiles(t, root); len(got) != 0 {
		t.Errorf("files %q", got)
	}
}

// lone is a column of one cell.
func lone(t *testing.T, of arrow.DataType, cell string) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "x", Type: of, Nullable: true}}, nil))
	defer b.Release()
	if err := b.Field(0).AppendValueFromString(cell); err != nil {
		t.Fatal(err)
	}
	return readerOf(t, b.NewRecordBatch())
}

// A half float takes what it represents, and rounds no integer.
func TestAppendToHalfFloats(t *testing.T) {
	for _, c := range []struct {
		of         arrow.DataType
		cell, says string
	}{
		{arrow.PrimitiveTypes.Int64, "2048", ""},
		{arrow.PrimitiveTypes.Int64, "2049", "2049 is an integer that float16 does not represent"},
		{arrow.PrimitiveTypes.Int64, "70000", "70000 is an integer that float16 does not represent"},
		{arrow.PrimitiveTypes.Float64, "0.1", ""},
		{arrow.PrimitiveTypes.Float64, "NaN", ""},
		{arrow.PrimitiveTypes.Float64, "-Inf", ""},
		{arrow.PrimitiveTypes.Float64, "70000", "70000 does not fit float16"},
		{arrow.PrimitiveTypes.Float32, "1e-30", "does not fit float16"},
	} {
		store := parquet.New(t.TempDir())
		if _, err := store.Create(t.Context(), sourceOf("a.parquet"), lone(t, arrow.FixedWidthTypes.Float16, "1"), false); err != nil {
			t.Fatal(err)
		}
		_, err := store.Append(t.Context(), sourceOf("a.parquet"), lone(t, c.of, c.cell))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v, want %q", c.of, c.cell, err, c.says)
		}
	}
}
