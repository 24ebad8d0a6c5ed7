package value_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

func TestListLen(t *testing.T) {
	for name, c := range map[string]struct {
		v    *types.Value
		want int
		ok   bool
	}{
		"doubles":       {&types.Value{Val: &types.Value_DoubleListVal{DoubleListVal: &types.DoubleList{Val: []float64{1, 2, 0}}}}, 3, true},
		"floats":        {&types.Value{Val: &types.Value_FloatListVal{FloatListVal: &types.FloatList{Val: []float32{1, 2}}}}, 2, true},
		"integers":      {&types.Value{Val: &types.Value_Int64ListVal{Int64ListVal: &types.Int64List{Val: []int64{-1, 1 << 40, 0, 5}}}}, 4, true},
		"texts":         {&types.Value{Val: &types.Value_StringListVal{StringListVal: &types.StringList{Val: []string{"", "a"}}}}, 2, true},
		"booleans":      {&types.Value{Val: &types.Value_BoolListVal{BoolListVal: &types.BoolList{Val: []bool{true, false}}}}, 2, true},
		"no elements":   {&types.Value{Val: &types.Value_DoubleListVal{DoubleListVal: &types.DoubleList{}}}, 0, true},
		"a null":        {&types.Value{}, 0, false},
		"a text":        {&types.Value{Val: &types.Value_StringVal{StringVal: "abc"}}, 0, false},
		"a number":      {&types.Value{Val: &types.Value_DoubleVal{DoubleVal: 1}}, 0, false},
		"a set of text": {&types.Value{Val: &types.Value_StringSetVal{StringSetVal: &types.StringSet{Val: []string{"a", "b"}}}}, 2, true},
	} {
		b, err := proto.Marshal(c.v)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := value.ListLen(b); n != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
}

// FuzzListLen compares with the protobuf library for Values that it writes; no
// other bytes do any harm.
func FuzzListLen(f *testing.F) {
	f.Add([]byte{0x7a, 8, 10, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x7a, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x72, 3, 10, 1, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		value.ListLen(b)
		var v types.Value
		if proto.Unmarshal(b, &v) != nil {
			return
		}
		v.ProtoReflect().SetUnknown(nil)
		b, err := proto.Marshal(&v)
		if err != nil {
			return
		}
		var want int
		switch l := v.GetVal().(type) {
		case *types.Value_DoubleListVal:
			want = len(l.DoubleListVal.GetVal())
		case *types.Value_Int64ListVal:
			want = len(l.Int64ListVal.GetVal())
		case *types.Value_StringListVal:
			want = len(l.StringListVal.GetVal())
		default:
			return
		}
		if n, ok := value.ListLen(b); !ok || n != want {
			t.Errorf("%d, %v, not %d: %x", n, ok, want, b)
		}
	})
}
