package parquet_test

import (
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

func TestContractOfParquetWriters(t *testing.T) {
	offlinetest.RunWriter(t, func(tb testing.TB) offlinetest.WriterBackend {
		return &writerBackend{newBackend(tb, ".parquet", writeParquet)}
	})
}

func TestContractOfCSVWriters(t *testing.T) {
	const text = "a column of CSV is text, which holds every cell"
	offlinetest.RunWriter(t, func(tb testing.TB) offlinetest.WriterBackend {
		return &writerBackend{newBackend(tb, ".csv", writeCSV)}
	},
		offlinetest.Exception{Sentence: "NaN and an empty text come back as they were", Reason: "CSV has one text for both and null, so they are refused"},
		offlinetest.Exception{Sentence: "decimals come back with their digits and their scale", Reason: "CSV gives them as texts, with their digits and their scale"},
		offlinetest.Exception{Sentence: "bytes come back as they were", Reason: "CSV holds text only, so other bytes are refused"},
		offlinetest.Exception{Sentence: "lists come back as they were", Reason: "CSV has no lists, so they are refused"},
		offlinetest.Exception{Sentence: "a cell of another type is converted if nothing is lost", Reason: text},
		offlinetest.Exception{Sentence: "a time without a zone is UTC", Reason: text},
		offlinetest.Exception{Sentence: "a float is rounded to a narrower float", Reason: text},
		offlinetest.Exception{Sentence: "a cell that does not fit is Invalid and named by row and column", Reason: text},
		offlinetest.Exception{Sentence: "rows are numbered over all batches", Reason: text},
		offlinetest.Exception{Sentence: "a type that a column does not hold is Invalid and named", Reason: text},
	)
}

// writerBackend is backend for writers. What Create makes is Parquet.
type writerBackend struct{ *backend }

func (b *writerBackend) Place(_ testing.TB, name string) *core.DataSource {
	return fileSource(name, name+".parquet")
}

// fileSource is a source of a path.
func fileSource(name, path string) *core.DataSource {
	return &core.DataSource{
		Name: name, Type: core.DataSource_BATCH_FILE,
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: path}},
	}
}

// Objects lists all files, hidden ones, too.
func (b *writerBackend) Objects(tb testing.TB) []string { return allFiles(tb, b.root) }

func allFiles(tb testing.TB, root string) (names []string) {
	tb.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(names)
	return names
}
