package transform

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// TestListsInPandasMode holds that a list can be passed on and measured, and that
// what NumPy computes otherwise than Python with lists is refused.
func TestListsInPandasMode(t *testing.T) {
	tags := types.ValueType_STRING_LIST
	list := protowire.AppendBytes(protowire.AppendTag(nil, protowire.Number(tags), protowire.BytesType),
		protowire.AppendString(protowire.AppendTag(protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "a"), 1, protowire.BytesType), "bc"))
	for name, tt := range map[string]struct {
		made string
		as   types.ValueType_Enum
		want []byte
		err  string
	}{
		"passed on":     {"i['l']", tags, list, ""},
		"str.len":       {"i['l'].str.len()", types.ValueType_INT64, value.AppendInt64(nil, 2), ""},
		"len":           {"i['l'].apply(lambda x: len(x))", types.ValueType_INT64, value.AppendInt64(nil, 2), ""},
		"first":         {"i['l'].str[0]", types.ValueType_STRING, value.AppendString(nil, "a"), ""},
		"second":        {"i['l'].str.get(1)", types.ValueType_STRING, value.AppendString(nil, "bc"), ""},
		"str.upper":     {"i['l'].str.upper()", types.ValueType_STRING, nil, "not supported"},
		"words.upper":   {"i['s'].str.split(' ').str.upper()", types.ValueType_STRING, nil, "not supported"},
		"words":         {"i['s'].str.split(' ').str.len()", types.ValueType_INT64, value.AppendInt64(nil, 3), ""},
		"part":          {"i['l'].str[0:1]", tags, nil, "not supported"},
		"twice":         {"i['l'].apply(lambda x: x * 2)", tags, nil, "'value STRING_LIST'"},
		"another type":  {"i['l']", types.ValueType_INT64_LIST, nil, "in a list"},
		"no list":       {"i['l']", types.ValueType_DOUBLE, nil, "STRING_LIST"},
		"truth of list": {"i['l'].apply(lambda x: 1 if x else 0)", types.ValueType_INT64, nil, "truth"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "def fn(i):\n    df = pd.DataFrame()\n    df['o'] = " + tt.made + "\n    return df\n"
			p, err := Compile(view("pandas", text, []Field{{"l", tags}, {"s", types.ValueType_STRING}}, nil, []Field{{"o", tt.as}}), nil)
			if err != nil {
				wantError(t, err, tt.err)
				return
			}
			b := p.Acquire(1)
			defer p.Release(b)
			for i, in := range p.Inputs() {
				v := list
				if in.Type == types.ValueType_STRING {
					v = value.AppendString(nil, "a b c")
				}
				if err := b.SetValue(i, 0, v); err != nil {
					t.Fatal(err)
				}
			}
			if err = p.Run(t.Context(), b); err == nil {
				var got []byte
				if got, err = b.AppendValue(nil, 0, 0); err == nil && !bytes.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
			wantError(t, err, tt.err)
		})
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
