package transform

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// TestABatchIsUsedAgainWithoutItsOldValues holds that a run sees nothing of the run before
// in the same memory: no list, text or number.
func TestABatchIsUsedAgainWithoutItsOldValues(t *testing.T) {
	inputs := []Field{{"l", types.ValueType_INT64_LIST}, {"s", types.ValueType_STRING}, {"a", types.ValueType_INT64}}
	for mode, text := range map[string]string{
		"pandas": "def fn(i):\n    return pd.DataFrame({'l': i['l'], 's': i['s'], 'a': i['a']})\n",
		"python": "def fn(i):\n    return {'l': i['l'], 's': i['s'], 'a': i['a']}\n",
	} {
		p, err := Compile(view(mode, text, inputs, nil, inputs), nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBatch(p)
		for round, rows := range []int{5, 3, 7} {
			b.reset(rows)
			for i, in := range p.Inputs() {
				for row := range rows {
					if round > 0 && row%2 == 0 {
						continue // null
					}
					v := sample(in.Type, row)
					if in.Type == types.ValueType_INT64_LIST {
						v = sampleList(in.Type, int64(100*round+row))
					}
					if err := b.SetValue(i, row, v); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := b.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			for o := range p.Outputs() {
				for row := range rows {
					got, err := b.AppendValue(nil, o, row)
					if err != nil {
						t.Fatal(err)
					}
					if null := round > 0 && row%2 == 0; null != (len(got) == 0) {
						t.Errorf("%s: output %d of row %d in round %d is %x", mode, o, row, round, got)
					}
				}
			}
		}
		p.Release(b)
		for _, l := range b.lists[:cap(b.lists)] {
			if l.ref != nil {
				t.Errorf("%s: a list is kept in the pool", mode)
			}
		}
	}
}

// TestTimesOutsideOfTheCalendarAreErrors holds that they are no other times.
func TestTimesOutsideOfTheCalendarAreErrors(t *testing.T) {
	when := []Field{{"t", types.ValueType_UNIX_TIMESTAMP}}
	text := "def fn(i):\n    return pd.DataFrame({'o': i['t'].dt.year})\n"
	for name, c := range map[string]struct {
		features, request []Field
		kind              fault.Kind
	}{"stored": {when, nil, fault.Internal}, "request": {nil, when, fault.Invalid}} {
		p, err := Compile(view("pandas", text, c.features, c.request, []Field{{"o", types.ValueType_INT64}}), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, seconds := range []int64{math.MaxInt64, math.MinInt64 + 1, 1 << 53, maxTime + 1, minTime - 1, 9_223_372_036_855} {
			b := p.Acquire(1)
			if err := b.SetValue(0, 0, value.AppendUnixTimestamp(nil, seconds)); err == nil || fault.KindOf(err) != c.kind {
				t.Errorf("%s: the time %d is %v", name, seconds, err)
			}
			build := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"})
			build.Append(arrow.Timestamp(seconds))
			a := build.NewTimestampArray()
			if err := b.SetArrow(0, a); err == nil || fault.KindOf(err) != c.kind {
				t.Errorf("%s: the time %d of Arrow is %v", name, seconds, err)
			}
			a.Release()
			p.Release(b)
		}
		for seconds, year := range map[int64]int64{maxTime: 9999, minTime: 1} {
			b := p.Acquire(1)
			if err := b.SetValue(0, 0, value.AppendUnixTimestamp(nil, seconds)); err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			got, err := b.AppendValue(nil, 0, 0)
			if n, _ := value.Int64(got); n != year || err != nil {
				t.Errorf("the year of %d is %d, %v", seconds, n, err)
			}
			p.Release(b)
		}
	}
}
