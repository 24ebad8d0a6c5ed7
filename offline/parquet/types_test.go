package parquet_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestTypesOfParquetColumns compares every Arrow type, as three writers store
// it, with the value type that Feast gives it; "" means that Feast has none for
// it.
func TestTypesOfParquetColumns(t *testing.T) {
	raw, err := os.ReadFile("../testdata/parquet.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]map[string]string
	if err := json.Unmarshal(raw, &recorded); err != nil || len(recorded) != 3 {
		t.Fatal(err, len(recorded))
	}
	for way, want := range recorded {
		columns, err := parquet.New("../testdata").Columns(t.Context(), &core.DataSource{
			Name: way, Type: core.DataSource_BATCH_FILE,
			Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: filepath.Join("parquet", way+".parquet")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range columns {
			got[c.Name] = c.Type.String()
			if c.Unmapped != "" {
				got[c.Name] = ""
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-Feast +banquet)\n%s", way, diff)
		}
	}
}
