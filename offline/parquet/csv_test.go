package parquet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestTypesOfCSVColumns shows what the cells of a column make of it. Keys such
// as 19530219_5179 are text, though Go would read them as numbers.
func TestTypesOfCSVColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	text := "key,whole,number,flag,at,hex,mixed,empty\n" +
		"19530219_5179,1,1.5,true,2024-01-05 10:00:00,0x1p4,1,\n" +
		"19781116_7723,,2,False,2024-01-06T10:00:00+09:00,0x1p5,a,\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := parquet.New(filepath.Dir(path)).Columns(t.Context(), &core.DataSource{
		Type: core.DataSource_BATCH_FILE, TimestampField: "at",
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: "rows.csv"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []offline.Column{
		{Name: "key", Type: types.ValueType_STRING},
		{Name: "whole", Type: types.ValueType_INT64},
		{Name: "number", Type: types.ValueType_DOUBLE},
		{Name: "flag", Type: types.ValueType_BOOL},
		{Name: "at", Type: types.ValueType_UNIX_TIMESTAMP},
		{Name: "hex", Type: types.ValueType_STRING},
		{Name: "mixed", Type: types.ValueType_STRING},
		{Name: "empty", Type: types.ValueType_STRING},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
