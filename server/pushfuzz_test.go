package server

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// FuzzRowsBody parses any bytes as a request that writes, on every route. What is accepted
// is JSON, and its columns can be typed without a panic.
func FuzzRowsBody(f *testing.F) {
	for _, s := range []string{
		`{"push_source_name":"s","df":{"a":[1,NaN,null],"b":"x","c":{"0":1,"1":[2]}},"to":"offline","allow_registry_cache":"no"}`,
		`{"feature_view_name":"v","df":{"a":[],"a":[[{}]]},"df":{"k":{"1":1,"0":2},"l":{"0":1,"1":-Infinity}},"transform_on_write":0}`,
		`{"push_source":"s","columns":{"a":{"val":[{"int64Val":"1"},{}]},"b":[1.5e3]},"eventTimestamps":["2024-01-01",null],"to":2}`,
		`{"request":{"feature_view":"v","columns":{"a":1}}}`, `{"df":5,"df":{}}`, `{`, `[]`, `null`, "\xff", `{"df":{"\ud800":["\ud800"]}}`,
	} {
		f.Add([]byte(s))
	}
	limits := decodeLimits{rows: 100, cells: 1000}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, push := range []bool{true, false} {
			feasts, err := parseFeastRows(raw, "application/json", push, limits)
			checkForm(t, feasts, err, push, false)
			own, err := parseRows(raw, push, true, limits)
			checkForm(t, own, err, push, true)
		}
	})
}

func checkForm(t *testing.T, form *rowsForm, err error, push, own bool) {
	t.Helper()
	if err != nil {
		return
	}
	r, err := form.request(push, own)
	if err != nil {
		return
	}
	for _, c := range r.Columns {
		for row := range c.Cells.Len() {
			_ = c.Cells.Text(row)
			_, _, _ = c.Cells.Time(row)
			for kind := range types.ValueType_Enum_name {
				if b, err := c.Cells.Append(nil, row, types.ValueType_Enum(kind), value.AsFeature); err == nil && len(b) > 0 && value.Check(b) != nil {
					t.Fatalf("column %q, row %d: type %v gives %x, which is no Value", c.Name, row, types.ValueType_Enum(kind), b)
				}
			}
		}
	}
	for i := range form.frame.columns {
		for _, token := range form.frame.columns[i].cells {
			if !json.Valid(token) && !pythonConstant(token) {
				t.Fatalf("a column holds %q", token)
			}
		}
	}
}

// FuzzRowsMessage decodes any bytes as a message of a stream. What is accepted has the
// columns that protobuf's own decoder finds.
func FuzzRowsMessage(f *testing.F) {
	m := &banquetv1.StreamPushRequest{Request: &banquetv1.PushRequest{
		Project: "p", PushSource: "s", Columns: map[string]*types.RepeatedValue{
			"a": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 1}}, {}}},
			"":  {Val: []*types.Value{{Val: &types.Value_StringListVal{StringListVal: &types.StringList{Val: []string{"x"}}}}}},
		}, Partial: true,
	}}
	whole, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(whole[:len(whole):len(whole)], whole...)) // the request in two parts
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		got := new(banquetv1.PushRequest)
		if unmarshalStreamed(append([]byte(nil), data...), got) != nil {
			return
		}
		columns, err := encodedColumns(got, decodeLimits{rows: 1000, cells: 10000})
		want := new(banquetv1.StreamPushRequest)
		if err != nil || proto.Unmarshal(data, want) != nil {
			return
		}
		if len(columns) != len(want.GetRequest().GetColumns()) {
			t.Fatalf("%d columns, protobuf finds %d", len(columns), len(want.GetRequest().GetColumns()))
		}
		for _, c := range columns {
			if list := want.GetRequest().GetColumns()[c.Name].GetVal(); len(list) != c.Cells.Len() {
				t.Fatalf("column %q has %d values, protobuf finds %d", c.Name, c.Cells.Len(), len(list))
			}
		}
		if got.GetProject() != want.GetRequest().GetProject() || got.GetPushSource() != want.GetRequest().GetPushSource() {
			t.Fatalf("%v, protobuf finds %v", got, want)
		}
	})
}
