package parquet_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// FuzzParquet reads files that are damaged anywhere: the result is rows or a
// fault with a kind, never a panic or an unclassified error.
func FuzzParquet(f *testing.F) {
	dir := f.TempDir()
	nested := arrow.StructOf(
		arrow.Field{Name: "a", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		arrow.Field{Name: "b", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), Nullable: true},
		arrow.Field{Name: "c", Type: &arrow.Decimal128Type{Precision: 30, Scale: 2}, Nullable: true},
	)
	for i, x := range []struct {
		dt   arrow.DataType
		cell string
	}{
		{arrow.PrimitiveTypes.Int16, "7"},
		{arrow.FixedWidthTypes.Boolean, "true"},
		{arrow.BinaryTypes.String, `"abc"`},
		{nested, `{"a":["x",null],"b":[{"key":"k","value":1}],"c":"1.50"}`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `"a"`},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64), "[1,2]"},
	} {
		path := filepath.Join(dir, string(rune('a'+i)))
		write(f, path, x.dt, group(5, x.cell), group(1, "null"), `[{"x":null,"at":null}]`)
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { readAny(t, "rows.parquet", raw) })
}

// FuzzCSV does the same with text files.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{
		"at,x\n2024-01-01,1\n", "\xef\xbb\xbfat,x\r\n2024-01-01 00:00:00+00,\"a,\"\"b\"\r\n", "at;x\n1;2\n", "at,x\n\"2024", "at,x\n2024-01-01,1,2\n",
		"at,x\nNA,NaN\n2024-01-01,12.30\n2024-01-01,007\n2024-01-01,1e400\n", "\xff\xfea\x00", "at,x,x\n", ",\n,\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { readAny(t, "rows.csv", raw) })
}

func readAny(t *testing.T, name string, raw []byte) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	store := parquet.New(dir)
	known := []fault.Kind{fault.Invalid, fault.NotFound}
	columns, err := store.Columns(t.Context(), sourceOf(name))
	if err != nil && !slices.Contains(known, fault.KindOf(err)) {
		t.Errorf("%v: %v", err, fault.Cause(err))
	}
	for _, c := range columns {
		for _, kind := range []types.ValueType_Enum{types.ValueType_INVALID, types.ValueType_INT64, types.ValueType_STRING} {
			query := offline.Query{Source: sourceOf(name), Columns: []string{c.Name}, Types: []types.ValueType_Enum{kind}, Timestamp: "at", Start: time.Unix(1, 0)}
			if _, err := drain(t.Context(), store, query); err != nil && !slices.Contains(known, fault.KindOf(err)) {
				t.Errorf("%s: %v: %v", c.Name, err, fault.Cause(err))
			}
		}
	}
}
