package parquet_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/offline/parquet"
)

// TestNativeNames compares the names of types with those that pyarrow gives the
// columns of the same file (ParquetDataset.schema), as Feast shows them.
func TestNativeNames(t *testing.T) {
	recorded, err := os.ReadFile("../testdata/native.txt")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := parquet.New("../testdata/parquet").Columns(t.Context(), sourceOf("kinds.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range columns {
		got[c.Name] = c.Native
	}
	want := map[string]string{}
	// Columns that are read as a plainer type have the name of that.
	plainer := map[string]string{
		"string_view": "string", "binary_view": "binary", "list_view": "list<element: int64>", "large_list_view": "list<element: int64>",
		"decimal32": "decimal128(5, 2)", "decimal64": "decimal128(15, 2)",
		"json": "string", "opaque": "string", "bool8": "bool", "tensor": "fixed_size_list<element: int32>[2]",
		"list_of_dictionary": "list<element: string>", "list_of_dictionary_empty": "list<element: string>", "struct_of_dictionary": "struct<a: string>",
	}
	for line := range strings.Lines(string(recorded)) {
		name, of, _ := strings.Cut(strings.TrimSpace(line), ": ")
		want[name] = of
	}
	for name, of := range plainer {
		if want[name] == of {
			t.Errorf("%s is no exception", name)
		}
		want[name] = of
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}
