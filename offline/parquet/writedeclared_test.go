package parquet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// A row that is added to CSV can be read: a cell of another type than the column's would
// make the whole source unreadable.
func TestAppendToCSVKeepsItReadable(t *testing.T) {
	const old = "n,small,f,b,s,u,at\n1,1,1.5,true,x,2024-01-01,2024-01-01\n"
	kinds := map[string]types.ValueType_Enum{
		"n": types.ValueType_INT64, "small": types.ValueType_INT32, "f": types.ValueType_DOUBLE, "b": types.ValueType_BOOL,
		"s": types.ValueType_STRING, "u": types.ValueType_UNIX_TIMESTAMP,
	}
	good := map[string]string{"n": "2", "small": "-7", "f": "1e5", "b": "false", "s": "a, \"b\"", "u": "2024-02-01T00:00:00Z", "at": "2024-01-02"}
	for _, c := range []struct{ column, cell, want string }{
		{"n", "q", `column n, row 1: "q" is not a 64-bit integer`},
		{"n", "30.5", `column n, row 1: "30.5" is not a 64-bit integer`},
		{"n", "7.0", ""},
		{"n", "a,b", `column n, row 1: `},
		{"small", "1048576000000", `column small, row 1: "1048576000000" does not fit an integer of 32 bits`},
		{"f", "many", `column f, row 1: "many" is not a 64-bit number`},
		{"b", "maybe", `column b, row 1: "maybe" is neither true nor false`},
		{"u", "soon", `column u, row 1: "soon" is not a time`},
		{"at", "1704067200", `column at, row 1: "1704067200" is not a time`},
		{"s", "anything", ""},
		{"s", "", ""}, // null
		{"n", "", ""},
	} {
		for _, path := range []string{"a.csv", "dir"} {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "dir"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"a.csv", "dir/1.csv"} {
				if err := os.WriteFile(filepath.Join(root, name), []byte(old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var fields []arrow.Field
			var columns []arrow.Array
			for _, name := range strings.Split(strings.SplitN(old, "\n", 2)[0], ",") {
				b := array.NewStringBuilder(memory.DefaultAllocator)
				cell := good[name]
				if name == c.column {
					cell = c.cell
				}
				if cell == "" {
					b.AppendNull()
				} else {
					b.Append(cell)
				}
				fields, columns = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}), append(columns, b.NewArray())
			}
			store := parquet.New(root)
			source := sourceOf(path)
			source.TimestampField = "at"
			n, err := store.AppendAs(t.Context(), source, readerOf(t, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 1)), kinds)
			if c.want != "" {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s, %s: %v, want %s", path, c.cell, err, c.want)
				}
				if kept, err := os.ReadFile(filepath.Join(root, "a.csv")); err != nil || string(kept) != old {
					t.Errorf("%s, %s: the file is %q, %v", path, c.cell, kept, err)
				}
			} else if err != nil || n != 1 {
				t.Errorf("%s, %s: %d rows, %v", path, c.cell, n, err)
			}
			q := offline.Query{Source: source, Timestamp: "at"}
			for name, kind := range kinds {
				q.Columns, q.Types = append(q.Columns, name), append(q.Types, kind)
			}
			r, err := store.Range(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for r.Next() {
				continue
			}
			if r.Err() != nil {
				t.Errorf("%s, %s: the source cannot be read any more: %v", path, c.cell, r.Err())
			}
			r.Release()
		}
	}
}

// A name that no file can have is the caller's mistake, not an outage.
func TestCreateUnderImpossibleNames(t *testing.T) {
	for _, name := range []string{strings.Repeat("n", 300) + ".parquet", "a\x00b.parquet"} {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.Append(1)
		schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
		_, err := parquet.New(t.TempDir()).Create(t.Context(), sourceOf(name), readerOf(t, array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 1)), false)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "cannot be the name of a file; choose another one") {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}
