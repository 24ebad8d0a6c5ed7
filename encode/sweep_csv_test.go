package encode_test

import (
	"encoding/csv"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// backends iterates over the columns of each backend, in the order of the docs.
func backends(t *testing.T) iter.Seq2[string, []column] {
	t.Helper()
	return func(yield func(string, []column) bool) {
		files := columns(t, "parquet")
		// Feast does not read CSV: the text of a Parquet column's values must
		// give what Feast makes of that column.
		texts := slices.DeleteFunc(slices.Clone(files), func(c column) bool { return c.CSV == nil })
		_ = yield("postgres", columns(t, "postgres")) && yield("parquet", files) && yield("csv", texts)
	}
}

// csvReader writes a column as CSV, as pandas does, and reads that.
func csvReader(t *testing.T) read {
	t.Helper()
	dir := t.TempDir()
	return func(c column, kind types.ValueType_Enum) ([]arrow.RecordBatch, error) {
		file, err := os.Create(filepath.Join(dir, "rows.csv"))
		if err != nil {
			t.Fatal(err)
		}
		w := csv.NewWriter(file)
		_ = w.Write([]string{"k", c.name(), "ts"})
		for row, text := range c.CSV {
			_ = w.Write([]string{strconv.Itoa(row), text, "2024-01-01 12:00:00+00:00"})
		}
		w.Flush()
		if err := file.Close(); err != nil || w.Error() != nil {
			t.Fatal(err, w.Error())
		}
		rows, err := batches(t, parquet.New(dir), c, fileSource("rows.csv"), kind)
		if err != nil { // the docs show it, and the directory differs in every run
			err = errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
		}
		return rows, err
	}
}
