package offlinetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// viewOf is a view of a source with the columns of past.
func viewOf(name string, source *core.DataSource) offline.JoinView {
	return offline.JoinView{
		Name: name, Source: source, Keys: keyed("k", types.ValueType_INT64),
		Features: []string{"f"}, Types: []types.ValueType_Enum{types.ValueType_INT64}, Timestamp: "ts", Created: "made",
	}
}

// writeNamed makes a source with a name.
func writeNamed(t testing.TB, b Backend, name string, then Trouble, columns ...column) *core.DataSource {
	t.Helper()
	return writeRows(t, b, name, then, slices.Values([]arrow.RecordBatch{record(t, columns...)}), columns...)
}

// split makes columns of rows whose cells are separated by blanks. Cells that a
// row lacks, and those that are -, are null.
func split(t testing.TB, width int, rows []string) [][]string {
	t.Helper()
	table := make([][]string, width)
	for _, row := range rows {
		cells := strings.Fields(row)
		if len(cells) > width {
			t.Fatalf("%q has more than %d cells", row, width)
		}
		for i := range width {
			cell := null
			if i < len(cells) && cells[i] != "-" {
				cell = cells[i]
			}
			table[i] = append(table[i], cell)
		}
	}
	return table
}

// clocks completes times such as 05:00.
func clocks(cells []string) []string {
	out := slices.Clone(cells)
	for i, c := range out {
		if c != null && !strings.Contains(c, "T") {
			out[i] = "2024-01-01T" + c + "Z"
			if strings.Count(c, ":") == 1 {
				out[i] = "2024-01-01T" + c + ":00Z"
			}
		}
	}
	return out
}

// features are the cells of rows that are all integers.
func features(cells ...string) []string {
	rows := slices.Clone(cells)
	for i, c := range rows {
		if c == "-" {
			rows[i] = "null"
			continue
		}
		rows[i] = "int " + c
	}
	return rows
}

// wantInOrder compares rows with texts.
func wantInOrder(t testing.TB, got []string, rows ...string) {
	t.Helper()
	if len(got) == 0 && len(rows) == 0 {
		return
	}
	if diff := gocmp.Diff(rows, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// wantFeatures compares the one integer feature of a join.
func wantFeatures(t testing.TB, b Backend, join offline.Join, cells ...string) {
	t.Helper()
	wantInOrder(t, joined(t, b, join), features(cells...)...)
}

// integer columns and texts, for tables of several columns.
func ints(name string, cells ...string) column {
	return column{name, arrow.PrimitiveTypes.Int64, cells}
}

func strs(name string, cells ...string) column { return column{name, str, cells} }

func times(name string, cells ...string) column { return column{name, micros, clocks(cells)} }
