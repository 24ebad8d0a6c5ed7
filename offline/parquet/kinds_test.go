package parquet_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestEveryKindOfColumn compares what is read of each type that pyarrow can
// write with a recorded list, which was once compared with pyarrow's own
// reading.
func TestEveryKindOfColumn(t *testing.T) {
	want, err := os.ReadFile("../testdata/kinds.txt")
	if err != nil {
		t.Fatal(err)
	}
	store, source := parquet.New("../testdata/parquet"), sourceOf("kinds.parquet")
	columns, err := store.Columns(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, c := range columns {
		batch := one(t, store, offline.Query{Source: source, Columns: []string{c.Name}, Timestamp: "at"})
		fmt.Fprintf(&got, "%s: %s %s\n", c.Name, batch.Column(0).DataType(), text(batch.Column(0)))
		later := one(t, store, offline.Query{Source: source, Columns: []string{c.Name, c.Name}, Timestamp: "at", Start: time.UnixMicro(20)})
		if later.NumRows() != 2 || !array.SliceEqual(batch.Column(0), 1, 3, later.Column(1), 0, 2) {
			t.Errorf("%s from the second row on: %s", c.Name, text(later.Column(1)))
		}
		later.Release()
		batch.Release()
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// text prints a column on one line.
func text(a arrow.Array) string { return strings.Join(strings.Fields(fmt.Sprint(a)), " ") }

// TestOldTimesAreReadWithoutAZone: INT96 holds nanoseconds and no zone,
// whatever the Arrow schema beside it says.
func TestOldTimesAreReadWithoutAZone(t *testing.T) {
	batch := one(t, parquet.New("../testdata/parquet"), offline.Query{Source: sourceOf("int96.parquet"), Columns: []string{"c"}, Timestamp: "at"})
	defer batch.Release()
	want := []string{"timestamp[ns]", "[1 3000000000]", "timestamp[ns, tz=UTC]", "[1 3000000000]"}
	got := []string{batch.Column(0).DataType().String(), ints(batch.Column(0)), batch.Column(1).DataType().String(), ints(batch.Column(1))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func ints(a arrow.Array) string {
	ts, ok := a.(*array.Timestamp)
	if !ok {
		return fmt.Sprintf("%T", a)
	}
	return fmt.Sprint(ts.TimestampValues())
}

func sourceOf(path string) *core.DataSource {
	return &core.DataSource{
		Name: "rows", Type: core.DataSource_BATCH_FILE, TimestampField: "at",
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: path}},
	}
}

// one reads a query that returns one batch.
func one(t *testing.T, store *parquet.Store, query offline.Query) arrow.RecordBatch {
	t.Helper()
	reader, err := store.Range(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	if !reader.Next() {
		t.Fatalf("no rows of %v: %v", query.Columns, reader.Err())
	}
	batch := reader.RecordBatch()
	batch.Retain()
	if reader.Next() || reader.Err() != nil {
		t.Fatalf("more than one batch, or %v", reader.Err())
	}
	return batch
}
