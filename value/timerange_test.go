package value_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// Times that Python's datetime cannot be are refused, alone and in lists and sets.
func TestTimesThatClientsCannotRead(t *testing.T) {
	const null = -1 << 63
	for _, c := range []struct {
		seconds int64
		good    bool
	}{
		{0, true},
		{-1, true},
		{null, true},
		{-62135596800, true},
		{-62135596801, false}, // 0001-01-01
		{253402300799, true},
		{253402300800, false}, // the end of 9999
		{1704067200000, false},
		{1<<63 - 1, false},
		{null + 1, false},
	} {
		list := &types.Int64List{Val: []int64{7, c.seconds}}
		for _, v := range []*types.Value{
			{Val: &types.Value_UnixTimestampVal{UnixTimestampVal: c.seconds}},
			{Val: &types.Value_UnixTimestampListVal{UnixTimestampListVal: list}},
			{Val: &types.Value_UnixTimestampSetVal{UnixTimestampSetVal: &types.Int64Set{Val: list.Val}}},
		} {
			b, err := proto.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := value.CheckTimes(b); (err == nil) != c.good || err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: %v", v, err)
			}
		}
	}
	unpacked := []byte{18<<3&0x7f | 2 | 0x80, 1, 2, 8, 7} // a list with one number in a field of its own
	if err := value.CheckTimes(unpacked); err != nil {
		t.Error(err)
	}
	for _, other := range [][]byte{nil, value.AppendInt64(nil, 1<<62), value.AppendString(nil, "x")} {
		if err := value.CheckTimes(other); err != nil {
			t.Error(err)
		}
	}
}
