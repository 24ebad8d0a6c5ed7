package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// vectors is a source whose rows have lists of some lengths; -1 is a null.
type vectors struct {
	offline.Store
	lengths []int
}

func (v vectors) Range(context.Context, offline.Query) (array.RecordReader, error) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "shopper", Type: arrow.PrimitiveTypes.Int64},
		{Name: "items", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, n := range v.lengths {
		b.Field(0).(*array.Int64Builder).Append(int64(i))     //nolint:forcetypeassert // as the schema says
		b.Field(2).(*array.TimestampBuilder).AppendTime(noon) //nolint:forcetypeassert // as the schema says
		list, _ := b.Field(1).(*array.ListBuilder)
		if list.Append(n >= 0); n < 0 {
			continue
		}
		for range n {
			list.ValueBuilder().(*array.Float64Builder).Append(1) //nolint:forcetypeassert // as the schema says
		}
	}
	return array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
}

func (vectors) Span(context.Context, offline.Query) (offline.Span, error) { return offline.Span{}, nil }

// All vectors of a view have one length; otherwise nothing of the view is written.
func TestVectorsHaveOneLength(t *testing.T) {
	for name, c := range map[string]struct {
		lengths  []int
		declared int32
		plain    bool
		want     string
	}{
		"as declared":      {lengths: []int{2, -1, 2}, declared: 2},
		"as each other":    {lengths: []int{-1, 3, 3}},
		"no vector":        {lengths: []int{1, 2, 3}, plain: true},
		"empty lists":      {lengths: []int{0, 0}},
		"not as declared":  {lengths: []int{2, 3}, declared: 2, want: "Row 1: Vector length 3 does not match expected 2 for feature 'items' in feature view 'carts'. It is shopper=1 at 2024-06-01T12:00:00Z; correct the source, or the vector_length of the feature."},
		"empty":            {lengths: []int{2, 0}, declared: 2, want: "Row 1: Vector length 0 does not match expected 2 for feature 'items' in feature view 'carts'."},
		"not as the first": {lengths: []int{-1, 2, 2, 3}, want: "Row 3: Vector length 3 does not match expected 2, inferred from the first row for feature 'items' in feature view 'carts'. It is shopper=3 at 2024-06-01T12:00:00Z;"},
		"first of many":    {lengths: []int{4, 3, 2, 3}, want: "Row 1: Vector length 3 does not match expected 4, inferred from the first row for"},
		"the first alone":  {lengths: []int{2, 3, 3, 3}, declared: 3, want: "Row 0: Vector length 2 does not match expected 3 for"},
		"nulls only":       {lengths: []int{-1, -1}},
		"declared, nulls":  {lengths: []int{-1, -1}, declared: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, false, "carts")
			edit(t, s, func(v *core.FeatureView) {
				f := v.Spec.Features[0]
				f.ValueType, f.VectorIndex, f.VectorLength = types.ValueType_DOUBLE_LIST, !c.plain, c.declared
			})
			s.opt.Offline = vectors{lengths: c.lengths}
			results, err := s.run(t.Context())
			if c.want == "" {
				if err != nil || results[0].Written != len(c.lengths) {
					t.Errorf("%+v, %v", results, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || len(s.stored(t, 0, 1, 2, 3)) != 0 || len(s.intervals(t, "carts")) != 0 {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// A view whose vector is not a list is refused.
func TestAVectorThatIsNoList(t *testing.T) {
	s := newShop(t, false, "carts")
	edit(t, s, func(v *core.FeatureView) { v.Spec.Features[0].VectorIndex = true })
	s.source.add(some(1, noon)...)
	if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "Vector feature 'items' in feature view 'carts' has non-list Arrow type int64.") {
		t.Error(err)
	}
}

// The rows of Feast's table are the newest of each key, newest first: only they are
// compared, and the number of a row is its place among them.
func TestTheNewestRowsAreCompared(t *testing.T) {
	for name, c := range map[string]struct {
		rows [][3]int // key, hour, length
		want string
	}{
		"older rows do not matter": {rows: [][3]int{{1, 1, 5}, {1, 2, 2}, {2, 1, 2}}},
		"nor do they decide":       {rows: [][3]int{{2, 0, 3}, {1, 1, 2}, {2, 2, 2}, {3, 1, 2}}},
		"newest first":             {rows: [][3]int{{1, 1, 3}, {2, 4, 2}, {3, 2, 2}, {4, 3, 4}, {4, 2, 2}}, want: "Row 1: Vector length 4 does not match expected 2, inferred from the first row"},
		"the last row":             {rows: [][3]int{{9, 1, 3}, {2, 4, 2}, {3, 2, 2}, {4, 3, 2}}, want: "Row 3: Vector length 3 does not match expected 2, inferred from the first row"},
		"the newest differs":       {rows: [][3]int{{1, 1, 3}, {2, 4, 2}, {3, 2, 3}, {4, 3, 3}}, want: "Row 1: Vector length 3 does not match expected 2, inferred from the first row"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, memory := range []int64{0, 500} {
				s := newShop(t, false, "carts")
				edit(t, s, func(v *core.FeatureView) {
					v.Spec.Features[0].ValueType, v.Spec.Features[0].VectorIndex = types.ValueType_DOUBLE_LIST, true
				})
				s.opt.Offline, s.opt.Spool.Memory, s.opt.Spool.Dir = timed{rows: c.rows}, memory, t.TempDir()
				_, err := s.run(t.Context())
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
					t.Errorf("%v\nwant %s", err, c.want)
				}
			}
		})
	}
}

// timed is a source of lists: the key, the hour and the length of each row; or of
// numbers.
type timed struct {
	offline.Store
	rows    [][3]int
	numbers bool
}

func (v timed) Range(context.Context, offline.Query) (array.RecordReader, error) {
	var list []string
	kind := arrow.DataType(arrow.ListOf(arrow.PrimitiveTypes.Float64))
	if v.numbers {
		kind = arrow.PrimitiveTypes.Int64
	}
	for _, r := range v.rows {
		items := any(r[2])
		if !v.numbers {
			items = make([]float64, r[2])
		}
		cell, err := json.Marshal(items)
		if err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprintf(`{"shopper": %d, "items": %s, "at": %q}`, r[0], cell, noon.Add(time.Duration(r[1])*time.Hour).Format("2006-01-02 15:04:05")))
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "shopper", Type: arrow.PrimitiveTypes.Int64},
		{Name: "items", Type: kind, Nullable: true},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond}},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(list, ",")+"]"))
	if err != nil {
		return nil, err
	}
	return array.NewRecordReader(schema, []arrow.RecordBatch{batch})
}

func (timed) Span(context.Context, offline.Query) (offline.Span, error) { return offline.Span{}, nil }

// A row that cannot be encoded does not matter if a newer row replaces it; if it is
// the newest, nothing of the view is written.
func TestARowThatCannotBeEncoded(t *testing.T) {
	for _, memory := range []int64{0, 500} {
		for _, newer := range []bool{false, true} {
			t.Run(fmt.Sprint(memory, newer), func(t *testing.T) {
				s := newShop(t, false, "carts")
				edit(t, s, func(v *core.FeatureView) { v.Spec.Features[0].ValueType = types.ValueType_INT32 })
				source := timed{numbers: true}
				for key := range 12 {
					source.rows = append(source.rows, [3]int{key, 0, 1}, [3]int{key, 1, 2})
				}
				source.rows[7][2] = 1 << 40 // the newer row of shopper 3
				if newer {
					source.rows = append(source.rows, [3]int{3, 2, 3})
				}
				s.opt.Offline, s.opt.Spool.Memory, s.opt.Spool.Dir = source, memory, t.TempDir()
				results, err := s.run(t.Context())
				if newer != (err == nil) || err == nil && results[0].Written != 12 || err != nil && (len(s.stored(t, 0, 1, 2)) != 0 || !strings.Contains(err.Error(), "row shopper=3 ")) {
					t.Errorf("%+v, %v", results, err)
				}
			})
		}
	}
}
