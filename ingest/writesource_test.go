package ingest

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// A file's list whose elements are not called item has no value type in Feast; it can be
// written all the same.
func TestListsOfASource(t *testing.T) {
	for _, c := range []struct {
		column offline.Column
		cell   string
		want   string
	}{
		{offline.Column{Unmapped: "list", Native: "list<element: string>"}, `["a","b"]`, `[["a" "b"]]`},
		{offline.Column{Unmapped: "list", Native: "list<element: timestamp[us]>"}, `[5]`, `[[5]]`},
		{offline.Column{Type: types.ValueType_INT64_LIST, Native: "list<element: int64>"}, `[1,9007199254740993]`, `[[1 9007199254740993]]`},
		{offline.Column{Type: types.ValueType_STRING_LIST, Native: "list<item: string>"}, `["a"]`, `[["a"]]`},
		{offline.Column{Type: types.ValueType_STRING, Native: "string"}, `"a"`, `["a"]`},
	} {
		s := newSourceColumn(c.column, Column{Name: "c", Cells: value.NewTokenCells([][]byte{[]byte(c.cell)})}, false)
		if err := s.check(0); err != nil {
			t.Errorf("%s: %v", c.column.Native, err)
			continue
		}
		a, err := s.array([]int{0})
		if err != nil {
			t.Errorf("%s: %v", c.column.Native, err)
			continue
		}
		if a.String() != c.want {
			t.Errorf("%s: %v, want %s", c.column.Native, a, c.want)
		}
		a.Release()
	}
}
