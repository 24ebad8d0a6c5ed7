package parquet_test

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/asof"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestEveryKindOfColumnIsJoined joins each type that pyarrow can write, in
// memory and through temporary files.
func TestEveryKindOfColumnIsJoined(t *testing.T) {
	store, source := parquet.New("../testdata/parquet"), sourceOf("kinds.parquet")
	columns, err := store.Columns(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	times := one(t, store, offline.Query{Source: source, Timestamp: "at"})
	defer times.Release()
	asked := []int{2, -1, 0, 1, 2, 2, 0} // rows of the source; -1 is before all
	for _, memory := range []int64{0, 1} {
		j := asof.New(store, asof.Options{Memory: memory, Dir: t.TempDir()})
		for _, c := range columns {
			want := one(t, store, offline.Query{Source: source, Columns: []string{c.Name}, Timestamp: "at"})
			v := offline.JoinView{Name: "v", Source: source, Timestamp: "at", Features: []string{c.Name}, Types: []types.ValueType_Enum{0}}
			r, err := j.PointInTime(t.Context(), offline.Join{Entities: askedFor(t, times.Column(0), asked), Views: []offline.JoinView{v}})
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			got := all(t, r)
			for i, row := range asked {
				if row < 0 {
					if null := got.Column(0).IsNull(i) || got.Column(0).DataType().ID() == arrow.NULL; !null {
						t.Errorf("memory %d, %s, row %d: %s, want null", memory, c.Name, i, got.Column(0).ValueStr(i))
					}
					continue
				}
				if a, b := cellText(want.Column(0), row), cellText(got.Column(0), i); a != b {
					t.Errorf("memory %d, %s, row %d: %s, want %s", memory, c.Name, i, b, a)
				}
			}
			of := want.Schema().Field(0).Type
			if d, ok := of.(*arrow.DictionaryType); ok {
				of = d.ValueType
			}
			if got := r.Schema().Field(0).Type; !arrow.TypeEqual(of, got) {
				t.Errorf("%s is %s, want %s", c.Name, got, of)
			}
			r.Release()
			want.Release()
		}
	}
}

// cellText writes a cell, that of a dictionary as a plain one.
func cellText(a arrow.Array, row int) string {
	if d, ok := a.(*array.Dictionary); ok && !a.IsNull(row) {
		return cellText(d.Dictionary(), d.GetValueIndex(row))
	}
	if a.DataType().ID() == arrow.DICTIONARY {
		return "[(null)]"
	}
	return text(array.NewSlice(a, int64(row), int64(row)+1))
}

// askedFor makes entity rows without keys at the times of some rows.
func askedFor(t *testing.T, times arrow.Array, rows []int) array.RecordReader {
	t.Helper()
	at, ok := times.(*array.Timestamp)
	if !ok {
		t.Fatalf("times of type %T", times)
	}
	of, _ := times.DataType().(*arrow.TimestampType)
	b := array.NewTimestampBuilder(memory.DefaultAllocator, of)
	for _, row := range rows {
		if row < 0 {
			b.Append(at.Value(0) - 1)
			continue
		}
		b.Append(at.Value(row))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "at", Type: of}}, nil)
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(len(rows)))})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all reads a reader into one batch.
func all(t *testing.T, r array.RecordReader) arrow.RecordBatch {
	t.Helper()
	var batches []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		batches = append(batches, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	columns := make([]arrow.Array, r.Schema().NumFields())
	rows := int64(0)
	for _, b := range batches {
		rows += b.NumRows()
	}
	for i := range columns {
		var parts []arrow.Array
		for _, b := range batches {
			parts = append(parts, b.Column(i))
		}
		var err error
		if columns[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", r.Schema().Field(i), err))
		}
	}
	return array.NewRecordBatch(r.Schema(), columns, rows)
}

// TestSetsOfFilesAreJoined joins a directory of partitions whose files differ in
// the order and the width of their columns: a partition's column is a feature
// and a key.
func TestSetsOfFilesAreJoined(t *testing.T) {
	files := newBackend(t, ".parquet", writeParquet)
	at := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	narrow := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int32}, {Name: "f", Type: arrow.PrimitiveTypes.Int64}, {Name: "at", Type: at}}, nil)
	wide := arrow.NewSchema([]arrow.Field{{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond}}, {Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "f", Type: arrow.PrimitiveTypes.Int32}}, nil)
	for path, table := range map[string]offlinetest.Table{
		"set/country=de/region=7/one.parquet": {Schema: narrow, Rows: rowsOf(t, narrow, `[{"k":1,"f":10,"at":"2024-01-01T00:00:00Z"},{"k":2,"f":20,"at":"2024-01-01T00:00:00.5Z"}]`)},
		"set/country=fr/region=8/two.parquet": {Schema: wide, Rows: rowsOf(t, wide, `[{"k":1,"f":11,"at":"2024-01-02 00:00:00.000001"},{"k":3,"f":30,"at":"2024-01-01 00:00:00"}]`)},
	} {
		full := filepath.Join(files.root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		writeParquet(t, full, table)
	}
	for _, uri := range []string{"set", "set/*/*/*.parquet"} {
		source := sourceOf(uri)
		byKey := offline.JoinView{
			Name: "v", Source: source, Timestamp: "at", Keys: []offline.JoinKey{{Column: "k", Type: types.ValueType_INT64}},
			Features: []string{"f", "country"}, Types: []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_STRING},
		}
		byRegion := byKey
		byRegion.Keys = []offline.JoinKey{{Column: "region", Entity: 1, Type: types.ValueType_INT64}}
		asked := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "region", Type: arrow.BinaryTypes.String}, {Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}}}, nil)
		rows := rowsOf(t, asked, `[{"k":1,"region":"8","at":"2024-01-02T00:00:00Z"},{"k":1,"region":"7","at":"2024-01-02T00:00:00.000001Z"},{"k":2,"region":"9","at":"2024-01-01T00:00:00.499999Z"}]`)
		r, err := files.store.PointInTime(t.Context(), offline.Join{Entities: &sequence{schema: asked, rows: rows}, Views: []offline.JoinView{byKey, byRegion}})
		if err != nil {
			t.Fatal(err)
		}
		batch := all(t, r)
		var got []string
		for i := range int(batch.NumRows()) {
			row := ""
			for _, c := range batch.Columns() {
				row += c.ValueStr(i) + " "
			}
			got = append(got, strings.TrimSpace(row))
		}
		r.Release()
		if diff := cmp.Diff([]string{"10 de 30 fr", "11 fr 20 de", "(null) (null) (null) (null)"}, got); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", uri, diff)
		}
	}
}

// rowsOf reads rows from JSON.
func rowsOf(t *testing.T, schema *arrow.Schema, rows string) iter.Seq[arrow.RecordBatch] {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Values([]arrow.RecordBatch{batch})
}
