package parquet_test

import (
	"encoding/csv"
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
	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContractOfParquet(t *testing.T) {
	offlinetest.Run(t, func(tb testing.TB) offlinetest.Backend { return newBackend(tb, ".parquet", writeParquet) },
		offlinetest.Exception{Sentence: "a connection lost in the middle is Unavailable", Reason: "a file has no connection"},
		offlinetest.Exception{Sentence: "a context that is done ends a wait for the source within a second", Reason: "a file does not keep its reader waiting"},
		offlinetest.Exception{Sentence: "an infinite event time is Invalid and named by row and column", Reason: "Parquet has no infinite times"},
	)
}

func TestContractOfCSV(t *testing.T) {
	offlinetest.Run(t, func(tb testing.TB) offlinetest.Backend { return newBackend(tb, ".csv", writeCSV) },
		offlinetest.Exception{Sentence: "a connection lost in the middle is Unavailable", Reason: "a file has no connection"},
		offlinetest.Exception{Sentence: "a context that is done ends a wait for the source within a second", Reason: "a file does not keep its reader waiting"},
		offlinetest.Exception{Sentence: "an empty text is not null", Reason: "CSV writes both the same"},
		offlinetest.Exception{Sentence: "NaN is not null", Reason: "CSV has one text for both, as pandas reads it"},
		offlinetest.Exception{Sentence: "bytes are binary as they are", Reason: "CSV holds text only"},
		offlinetest.Exception{Sentence: "decimals keep their digits and their scale", Reason: "CSV gives them as texts, with their digits and their scale"},
		offlinetest.Exception{Sentence: "an infinite time is value.Infinity or value.MinusInfinity", Reason: "CSV has no infinite times"},
		offlinetest.Exception{Sentence: "lists are lists, and a null in one stays null", Reason: "CSV has no lists"},
		offlinetest.Exception{Sentence: "an empty list is not null", Reason: "CSV has no lists"},
	)
}

// notOfFiles are sentences of the joins' contract about what files do not do.
var notOfFiles = []offlinetest.Exception{
	{Sentence: "a join whose connection is lost is Unavailable", Reason: "a file has no connection"},
	{Sentence: "a context that is done ends a join's wait for the source within a second", Reason: "a file does not keep its reader waiting"},
}

func TestJoinsOfParquet(t *testing.T) {
	offlinetest.RunJoins(t, func(tb testing.TB) offlinetest.Backend { return newBackend(tb, ".parquet", writeParquet) }, notOfFiles...)
	offlinetest.JoinsAgainstOracle(t, newBackend(t, ".parquet", writeParquet), 100)
}

func TestJoinsOfCSV(t *testing.T) {
	// The joins are those of Parquet, over what Range returns.
	exceptions := offlinetest.Elsewhere("by TestJoinsOfParquet", "a join's memory is bounded by the batch", "Latest's memory is bounded by the batch",
		"a joined row may be larger than a batch", "joins do not disturb each other")
	offlinetest.RunJoins(t, func(tb testing.TB) offlinetest.Backend { return newBackend(tb, ".csv", writeCSV) }, append(append(exceptions, notOfFiles...),
		offlinetest.Exception{Sentence: "a key may be bytes", Reason: "CSV holds text only"},
		offlinetest.Exception{Sentence: "a key of a source that is no value of its type equals no key", Reason: "a cell of CSV that is no value of its type is refused with its line"},
	)...)
	offlinetest.JoinsAgainstOracle(t, newBackend(t, ".csv", writeCSV), 100)
}

// backend is a store with a directory of its own.
type backend struct {
	root, ext string
	store     *parquet.Store
	write     func(tb testing.TB, path string, table offlinetest.Table)
}

func newBackend(tb testing.TB, ext string, write func(testing.TB, string, offlinetest.Table)) *backend {
	root := tb.TempDir()
	return &backend{root: root, ext: ext, store: parquet.New(root), write: write}
}

func (b *backend) Store() offline.Store { return b.store }

// Unreachable has a file in place of the directory.
func (b *backend) Unreachable(tb testing.TB) offline.Store {
	root := filepath.Join(b.root, "no directory")
	if err := os.WriteFile(root, nil, 0o600); err != nil {
		tb.Fatal(err)
	}
	return parquet.New(filepath.Join(root, "deeper"))
}

// Held counts the open files of the directory.
func (b *backend) Held(tb testing.TB) (n int) {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	for _, fd := range open {
		if path, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(path, b.root+"/") {
			n++
		}
	}
	return n
}

func (b *backend) Write(tb testing.TB, table offlinetest.Table) *core.DataSource {
	tb.Helper()
	if table.Then != offlinetest.Missing {
		b.write(tb, filepath.Join(b.root, table.Name+b.ext), table)
	}
	return &core.DataSource{
		Name: table.Name, Type: core.DataSource_BATCH_FILE,
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: table.Name + b.ext}},
	}
}

// writeParquet writes a file, whose last row group is damaged on request.
func writeParquet(tb testing.TB, path string, table offlinetest.Table) {
	tb.Helper()
	writeParquetWith(tb, path, table)
}

func writeParquetWith(tb testing.TB, path string, table offlinetest.Table, more ...pq.WriterProperty) {
	tb.Helper()
	out, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	w, err := pqarrow.NewFileWriter(table.Schema, out, pq.NewWriterProperties(append(more, pq.WithCompression(compress.Codecs.Snappy), pq.WithDictionaryDefault(false))...),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		tb.Fatal(err)
	}
	for batch := range table.Rows {
		if err := w.WriteBuffered(batch); err != nil {
			tb.Fatal(err)
		}
	}
	if table.Then == offlinetest.Damage {
		nothing := array.NewRecordBuilder(memory.DefaultAllocator, table.Schema)
		for i, f := range table.Schema.Fields() {
			value := "0"
			if f.Type.ID() == arrow.TIMESTAMP {
				value = "2024-01-01T00:00:00Z"
			}
			if err := nothing.Field(i).AppendValueFromString(value); err != nil {
				tb.Fatal(err)
			}
		}
		w.NewBufferedRowGroup()
		if err := w.WriteBuffered(nothing.NewRecordBatch()); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if table.Then == offlinetest.Damage {
		damage(tb, path)
	}
}

// damage overwrites the pages of the last row group.
func damage(tb testing.TB, path string) {
	tb.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	group := r.MetaData().RowGroup(r.NumRowGroups() - 1)
	for i := range group.NumColumns() {
		chunk, err := group.ColumnChunk(i)
		if err != nil {
			tb.Fatal(err)
		}
		for at := chunk.DataPageOffset(); at < chunk.DataPageOffset()+chunk.TotalCompressedSize(); at++ {
			raw[at] = 0xff
		}
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// writeCSV writes a file, whose last line has one cell too many on request.
func writeCSV(tb testing.TB, path string, table offlinetest.Table) {
	tb.Helper()
	out, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	w := csv.NewWriter(out)
	row := make([]string, table.Schema.NumFields())
	for i, f := range table.Schema.Fields() {
		row[i] = f.Name
	}
	err = w.Write(row)
	for batch := range table.Rows {
		for i := range int(batch.NumRows()) {
			for c, a := range batch.Columns() {
				row[c], _ = offlinetest.Text(a, i)
			}
			if err == nil {
				err = w.Write(row)
			}
		}
	}
	if table.Then == offlinetest.Damage && err == nil {
		err = w.Write(append(row, "too much"))
	}
	w.Flush()
	if err != nil || w.Error() != nil {
		tb.Fatal(err, w.Error())
	}
}
