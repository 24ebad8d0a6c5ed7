package parquet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestContractOfSlices divides files of many small row groups.
func TestContractOfSlices(t *testing.T) {
	open := func(tb testing.TB) offlinetest.Backend {
		b := newBackend(tb, ".parquet", func(tb testing.TB, path string, table offlinetest.Table) { writeGroups(tb, path, table, 1000) })
		parquet.SmallSlices(b.store, 1)
		return b
	}
	offlinetest.RunSlices(t, open)
	t.Run("as Range", func(t *testing.T) {
		offlinetest.Run(t, func(tb testing.TB) offlinetest.Backend { return offlinetest.Sliced(open(tb)) },
			append(offlinetest.Elsewhere("by TestContractOfParquet", "memory is bounded by the batch", "a row may be larger than a batch"),
				offlinetest.Exception{Sentence: "a connection lost in the middle is Unavailable", Reason: "a file has no connection"},
				offlinetest.Exception{Sentence: "a context that is done ends a wait for the source within a second", Reason: "a file does not keep its reader waiting"},
				offlinetest.Exception{Sentence: "an infinite event time is Invalid and named by row and column", Reason: "Parquet has no infinite times"},
			)...)
	})
}

// groupFile writes a file of groups of hours: a group has ten rows of one hour.
func groupFile(t *testing.T, path string, hours ...int) {
	t.Helper()
	at := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.BinaryTypes.String}, {Name: "ts", Type: at}}, nil)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, h := range hours {
		for i := range 10 {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%d/%d", h, i))                         //nolint:forcetypeassert // as the schema says
			b.Field(1).(*array.TimestampBuilder).AppendTime(hour(h).Add(time.Duration(i) * time.Minute)) //nolint:forcetypeassert // as the schema says
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	rows := func(yield func(arrow.RecordBatch) bool) { yield(batch) }
	writeGroups(t, path, offlinetest.Table{Schema: schema, Rows: rows}, 10)
}

func hour(h int) time.Time { return time.Date(2024, 1, 1, h, 0, 0, 0, time.UTC) }

// slicedKeys reads the first cells of each of at most n readers.
func slicedKeys(t *testing.T, s *parquet.Store, path string, n int, start, end time.Time) (lists [][]string) {
	t.Helper()
	src := &core.DataSource{Name: "src", Type: core.DataSource_BATCH_FILE, Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: path}}}
	readers, err := s.Slices(t.Context(), offline.Query{Source: src, Columns: []string{"k"}, Timestamp: "ts", Start: start, End: end}, n)
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Cause(err))
	}
	for _, r := range readers {
		defer r.Release()
		var keys []string
		for r.Next() {
			for i := range int(r.RecordBatch().NumRows()) {
				keys = append(keys, r.RecordBatch().Column(0).ValueStr(i))
			}
		}
		if r.Err() != nil {
			t.Errorf("%v: %v", r.Err(), fault.Cause(r.Err()))
		}
		lists = append(lists, keys)
	}
	return lists
}

// Files and row groups are divided by their sizes; what the window rules out does
// not count, so that no reader is left without work.
func TestHowFilesAreDivided(t *testing.T) {
	root := t.TempDir()
	groupFile(t, filepath.Join(root, "one.parquet"), 0, 1, 2, 3, 4, 5, 6, 7)
	groupFile(t, filepath.Join(root, "many/a.parquet"), 0)
	groupFile(t, filepath.Join(root, "many/b.parquet"), 1, 2)
	groupFile(t, filepath.Join(root, "many/c.parquet"), 3)
	for name, text := range map[string]string{"lines/a.csv": "k,ts\n0/0,2024-01-01\n", "lines/b.csv": "k,ts\n0/1,2024-01-01\n", "lines/c.csv": "k,ts\n0/2,2024-01-01\n"} {
		if err := os.MkdirAll(filepath.Join(root, "lines"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := parquet.SmallSlices(parquet.New(root), 1)
	for _, c := range []struct {
		path       string
		n          int
		start, end time.Time
		rows       []int
	}{
		{"one.parquet", 2, time.Time{}, time.Time{}, []int{40, 40}},
		{"one.parquet", 4, time.Time{}, time.Time{}, []int{20, 20, 20, 20}},
		{"one.parquet", 1, time.Time{}, time.Time{}, []int{80}},
		{"one.parquet", 2, hour(4), hour(8), []int{20, 20}},
		{"one.parquet", 2, hour(20), hour(21), []int{0}},
		{"one.parquet", 100, hour(7), hour(7), []int{1}},
		{"many", 2, time.Time{}, time.Time{}, []int{20, 20}},
		{"many", 4, time.Time{}, time.Time{}, []int{10, 10, 10, 10}},
		{"lines", 3, time.Time{}, time.Time{}, []int{1, 1, 1}},
		{"lines/a.csv", 3, time.Time{}, time.Time{}, []int{1}},
	} {
		lists := slicedKeys(t, s, c.path, c.n, c.start, c.end)
		var rows []int
		for _, l := range lists {
			rows = append(rows, len(l))
		}
		one := slices.Concat(slicedKeys(t, s, c.path, 1, c.start, c.end)...)
		if !slices.Equal(rows, c.rows) || !slices.Equal(slices.Concat(lists...), one) {
			t.Errorf("%s by %d readers, from %v: rows %v, want %v; in the order of one reader: %v", c.path, c.n, c.start, rows, c.rows, slices.Equal(slices.Concat(lists...), one))
		}
	}
	if lists := slicedKeys(t, parquet.New(root), "one.parquet", 4, time.Time{}, time.Time{}); len(lists) != 1 {
		t.Errorf("a small file has %d readers", len(lists))
	}
}

// A file that is replaced after the readers were opened is not read by the old
// one's index.
func TestSlicesOfAFileThatIsReplaced(t *testing.T) {
	root := t.TempDir()
	groupFile(t, filepath.Join(root, "src.parquet"), 0, 1, 2, 3)
	src := &core.DataSource{Name: "src", Type: core.DataSource_BATCH_FILE, Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: "src.parquet"}}}
	readers, err := parquet.SmallSlices(parquet.New(root), 1).Slices(t.Context(), offline.Query{Source: src, Columns: []string{"k"}, Timestamp: "ts"}, 2)
	if err != nil || len(readers) != 2 {
		t.Fatalf("%d readers, %v", len(readers), err)
	}
	defer readers[0].Release()
	defer readers[1].Release()
	groupFile(t, filepath.Join(root, "new.parquet"), 4, 5, 6, 7, 8, 9)
	if err := os.Rename(filepath.Join(root, "new.parquet"), filepath.Join(root, "src.parquet")); err != nil {
		t.Fatal(err)
	}
	for i, r := range readers {
		if r.Next() || fault.KindOf(r.Err()) != fault.Unavailable {
			t.Errorf("reader %d: %v", i, r.Err())
		}
	}
}

// writeGroups writes a file whose row groups have so many rows.
func writeGroups(tb testing.TB, path string, table offlinetest.Table, rows int64) {
	tb.Helper()
	writeParquetWith(tb, path, table, pq.WithMaxRowGroupLength(rows))
}
