package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

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
		"not as declared":  {lengths: []int{2, 3}, declared: 2, want: "feature view carts, row shopper=1 at 2024-06-01T12:00:00Z: vector items has 3 elements, which does not match its vector_length, 2"},
		"empty":            {lengths: []int{2, 0}, declared: 2, want: "vector items has 0 elements, which does not match its vector_length, 2"},
		"not as the first": {lengths: []int{-1, 2, 2, 3}, want: "row shopper=3 at 2024-06-01T12:00:00Z: vector items has 3 elements, which does not match the length of other rows, 2"},
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
	if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "row shopper=1 at 2024-06-01T12:00:00Z: items is a vector, and its value is not a list") {
		t.Error(err)
	}
}

// A row that cannot be encoded does not matter if a newer row replaces it; if it is
// the newest, nothing of the view is written.
func TestARowThatCannotBeEncoded(t *testing.T) {
	for _, memory := range []int64{0, 500} {
		for _, newer := range []bool{false, true} {
			t.Run(fmt.Sprint(memory, newer), func(t *testing.T) {
				s := newShop(t, false, "carts")
				edit(t, s, func(v *core.FeatureView) {
					f := v.Spec.Features[0]
					f.ValueType, f.VectorIndex, f.VectorLength = types.ValueType_DOUBLE_LIST, true, 2
				})
				v := &history{vectors{lengths: []int{2, 2, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2}}, newer}
				s.opt.Offline, s.opt.Spool.Memory, s.opt.Spool.Dir = v, memory, t.TempDir()
				results, err := s.run(t.Context())
				if newer != (err == nil) || err == nil && results[0].Written != 12 || err != nil && (len(s.stored(t, 0, 1, 2)) != 0 || !strings.Contains(err.Error(), "row shopper=3 ")) {
					t.Errorf("%+v, %v", results, err)
				}
			})
		}
	}
}

// history is a source that has, of each row, a row of the day before; if mended, a
// right one of the day after too.
type history struct {
	vectors
	mended bool
}

func (h *history) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	first, err := h.vectors.Range(ctx, q)
	if err != nil {
		return nil, err
	}
	defer first.Release()
	right := vectors{lengths: make([]int, len(h.lengths))}
	for i := range right.lengths {
		right.lengths[i] = 2
	}
	second, err := right.Range(ctx, q)
	if err != nil {
		return nil, err
	}
	defer second.Release()
	first.Next()
	second.Next()
	good, days := second.RecordBatch(), -1
	if h.mended {
		days = 1
	}
	times := array.NewTimestampBuilder(memory.DefaultAllocator, good.Schema().Field(2).Type.(*arrow.TimestampType)) //nolint:forcetypeassert // as the schema says
	for range good.NumRows() {
		times.AppendTime(noon.AddDate(0, 0, days))
	}
	moved := array.NewRecordBatch(good.Schema(), []arrow.Array{good.Column(0), good.Column(1), times.NewArray()}, good.NumRows())
	return array.NewRecordReader(good.Schema(), []arrow.RecordBatch{first.RecordBatch(), moved})
}
