package encode_test

import (
	"encoding/csv"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline/parquet"
)

// inCSV are the types of Parquet whose values a CSV file can say. Feast reads no
// CSV: what it makes of the Parquet column is what their text must give.
var inCSV = []string{"int64", "int32", "uint64", "double", "float", "bool", "string", "decimal128(9,2)", "decimal128(38,0)", "decimal128(38,20)", "date32", "timestamp[us]", "timestamp[us, UTC]", "null"} //nolint:gochecknoglobals // a table of the test

// backends gives the columns of each backend, in the order of the docs.
func backends(t *testing.T) iter.Seq2[string, []column] {
	t.Helper()
	return func(yield func(string, []column) bool) {
		files := columns(t, "parquet")
		texts := slices.DeleteFunc(slices.Clone(files), func(c column) bool {
			return !slices.Contains(inCSV, c.Source) || strings.Contains(c.Case, "UTF-8")
		})
		_ = yield("postgres", columns(t, "postgres")) && yield("parquet", files) && yield("csv", texts)
	}
}

// csvReader writes a column of Parquet as CSV and reads that.
func csvReader(t *testing.T) func(column) ([]arrow.RecordBatch, error) {
	t.Helper()
	dir := t.TempDir()
	return func(c column) ([]arrow.RecordBatch, error) {
		rows, err := batches(t, parquet.New(recordDir), c, fileSource(c.File))
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(dir, "rows.csv"))
		if err != nil {
			t.Fatal(err)
		}
		w := csv.NewWriter(file)
		_ = w.Write([]string{"k", c.name(), "ts"})
		for _, record := range rows {
			for row := range int(record.NumRows()) {
				_ = w.Write([]string{fmt.Sprint(row), text(record.Column(1), row), text(record.Column(2), row)})
			}
		}
		w.Flush()
		if err := file.Close(); err != nil || w.Error() != nil {
			t.Fatal(err, w.Error())
		}
		return batches(t, parquet.New(dir), c, fileSource("rows.csv"))
	}
}

// text is a cell as people write it into CSV; null is an empty one.
func text(a arrow.Array, row int) string {
	if a.IsNull(row) {
		return ""
	}
	switch a := a.(type) {
	case *array.Timestamp:
		unit, _ := a.DataType().(*arrow.TimestampType)
		layout := "2006-01-02 15:04:05.999999999"
		if unit.TimeZone != "" {
			layout += "Z07:00"
		}
		return a.Value(row).ToTime(unit.Unit).Format(layout)
	case *array.Date32:
		return a.Value(row).ToTime().Format(time.DateOnly)
	}
	return a.ValueStr(row)
}
