package value_test

import (
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// Before there were time zones, offsets had seconds, and Python writes them.
func TestZonedTimestampsOfLocalMeanTime(t *testing.T) {
	for zone, want := range map[string]string{
		"Asia/Tokyo":       `"1874-12-08T03:58:59+09:18:59"`,
		"America/New_York": `"1874-12-07T13:43:58-04:56:02"`,
		"UTC":              `"1874-12-07T18:40:00+00:00"`,
	} {
		b, err := proto.Marshal(&types.Value{Val: &types.Value_ZonedTimestampVal{ZonedTimestampVal: &types.ZonedTimestamp{UnixTimestamp: -3000000000, Zone: zone}}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := value.AppendJSON(nil, b); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", zone, got, err, want)
		}
	}
}

// A null time is the lowest number in Feast's responses, and null in our own,
// wherever it occurs.
func TestNullTimes(t *testing.T) {
	at := func(v int64) *types.Value {
		return &types.Value{Val: &types.Value_UnixTimestampVal{UnixTimestampVal: v}}
	}
	lowest := at(math.MinInt64)
	for name, c := range map[string]struct {
		value       *types.Value
		feast, ours string
	}{
		"alone":     {lowest, "-9223372036854775808", "null"},
		"a time":    {at(-1), "-1", "-1"},
		"the next":  {at(math.MinInt64 + 1), "-9223372036854775807", "-9223372036854775807"},
		"a number":  {&types.Value{Val: &types.Value_Int64Val{Int64Val: math.MinInt64}}, "-9223372036854775808", "-9223372036854775808"},
		"a list":    {&types.Value{Val: &types.Value_UnixTimestampListVal{UnixTimestampListVal: &types.Int64List{Val: []int64{5, math.MinInt64}}}}, "[5,-9223372036854775808]", "[5,null]"},
		"a set":     {&types.Value{Val: &types.Value_UnixTimestampSetVal{UnixTimestampSetVal: &types.Int64Set{Val: []int64{math.MinInt64}}}}, "[-9223372036854775808]", "[null]"},
		"integers":  {&types.Value{Val: &types.Value_Int64ListVal{Int64ListVal: &types.Int64List{Val: []int64{math.MinInt64}}}}, "[-9223372036854775808]", "[-9223372036854775808]"},
		"in a list": {&types.Value{Val: &types.Value_ListVal{ListVal: &types.RepeatedValue{Val: []*types.Value{lowest}}}}, "[-9223372036854775808]", "[null]"},
		"in a map":  {&types.Value{Val: &types.Value_MapVal{MapVal: &types.Map{Val: map[string]*types.Value{"a": lowest}}}}, `{"a":-9223372036854775808}`, `{"a":null}`},
		"a zoned":   {&types.Value{Val: &types.Value_ZonedTimestampVal{ZonedTimestampVal: &types.ZonedTimestamp{UnixTimestamp: math.MinInt64, Zone: "UTC"}}}, "null", "null"},
	} {
		b, err := proto.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := value.AppendJSON(nil, b); err != nil || string(got) != c.feast {
			t.Errorf("%s: Feast's form is %s, %v; want %s", name, got, err, c.feast)
		}
		if got, err := value.AppendOwnJSON(nil, b); err != nil || string(got) != c.ours {
			t.Errorf("%s: our form is %s, %v; want %s", name, got, err, c.ours)
		}
	}
}
