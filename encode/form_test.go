package encode_test

import (
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// sent is a column of JSON tokens.
func sent(name string, tokens ...string) encode.Column {
	list := make([][]byte, len(tokens))
	for i, t := range tokens {
		list[i] = []byte(t)
	}
	return encode.Column{Name: name, Cells: value.NewTokenCells(list)}
}

// Columns are found under the names of the view, of its source and of Feast's SDK; the
// view's own name counts first.
func TestNamesOfSentColumns(t *testing.T) {
	v := view(types.ValueType_INT64, types.ValueType_INT64, map[string]string{"drv": "driver_id", "spd": "x", "at": "ts"})
	v.Batch.CreatedTimestampColumn = "made"
	f, err := encode.NewForm(v, 3)
	if err != nil {
		t.Fatal(err)
	}
	at, made := `"2024-01-02T03:04:05Z"`, `"2024-01-03T00:00:00Z"`
	for name, columns := range map[string][]encode.Column{
		"the view's":    {sent("driver_id", "7"), sent("x", "1"), sent("ts", at), sent("made", made)},
		"the source's":  {sent("drv", "7"), sent("spd", "1"), sent("at", at), sent("made", made)},
		"the SDK's":     {sent("driver_id", "7"), sent("x", "1"), sent("event_timestamp", at), sent("created", made)},
		"both, ignored": {sent("drv", "8"), sent("driver_id", "7"), sent("x", "1"), sent("spd", "2"), sent("at", at), sent("event_timestamp", `"2000-01-01"`), sent("made", made), sent("other", "{")},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := f.Bind(columns)
			if err != nil {
				t.Fatal(err)
			}
			key, err := r.AppendKey(nil, 0)
			want, _ := value.NewKeyLayout(3, []string{"driver_id"}).Append(nil, [][]byte{value.AppendInt64(nil, 7)})
			if err != nil || string(key) != string(want) {
				t.Errorf("key %x, %v", key, err)
			}
			values, ends, err := r.AppendValues(nil, nil, 0)
			if err != nil || len(ends) != 1 || string(values) != string(value.AppendInt64(nil, 1)) {
				t.Errorf("values %x, %v", values, err)
			}
			event, created, err := r.Times(0)
			if err != nil || !event.Equal(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)) || !created.Equal(time.Date(2024, 1, 3, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("%s, %s, %v", event, created, err)
			}
		})
	}
}

// A feature with the name of the source's event time is sent under it, and the time under
// the SDK's name.
func TestATimeThatIsAFeature(t *testing.T) {
	v := &registry.View{
		Name: "trips", Project: "p", JoinKeys: []registry.JoinKey{{Name: "driver_id", Type: types.ValueType_INT64}},
		Features: []registry.Feature{{Name: "ts", Type: types.ValueType_UNIX_TIMESTAMP}}, Batch: &core.DataSource{TimestampField: "ts"},
	}
	f, err := encode.NewForm(v, 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Bind([]encode.Column{sent("driver_id", "7"), sent("ts", "1704164645"), sent("event_timestamp", `"2024-01-02T03:04:05"`)})
	if err != nil {
		t.Fatal(err)
	}
	if event, _, err := r.Times(0); err != nil || event.Unix() != 1704164645 {
		t.Errorf("%s, %v", event, err)
	}
	if r, err = f.Bind([]encode.Column{sent("driver_id", "7"), sent("ts", `"2024-01-02T03:04:05"`)}); err != nil { // a frame of the source: its time is read, its feature is not a number
		t.Fatal(err)
	}
	if _, _, err := r.Times(0); err != nil {
		t.Error(err)
	}
}

// Keys that are sent twice must be equal as a whole, not only in what a message shows.
func TestKeysThatAreSentTwice(t *testing.T) {
	v := &registry.View{
		Name: "computed", Project: "p", Kind: registry.OnDemandView, JoinKeys: []registry.JoinKey{{Name: "k", Type: types.ValueType_STRING}},
		Features: []registry.Feature{{Name: "x", Type: types.ValueType_INT64}},
	}
	f, err := encode.NewForm(v, 3)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 200)
	if _, err := f.Bind([]encode.Column{sent("k", `"`+long+`"`, `"`+long+`"`), sent("x", "1")}); err != nil {
		t.Error(err)
	}
	if _, err := f.Bind([]encode.Column{sent("k", `"`+long+`a"`, `"`+long+`b"`), sent("x", "1")}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("other keys: %v", err)
	}
	if _, err := f.Bind([]encode.Column{sent("k", `"a"`, `"b"`, `"a"`, `"b"`), sent("x", "1", "2")}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("keys that are not beside their copies: %v", err)
	}
	rows, err := f.Bind([]encode.Column{sent("k", `"a"`, `"a"`, `"b"`, `"b"`), sent("x", "1", "2")})
	if err != nil || rows.Len() != 2 || rows.RowName(1) != `row 1 (k="b")` {
		t.Errorf("%v", err)
	}
}

// A time that clients of Feast cannot read is refused with its row and column.
func TestTimesInMilliseconds(t *testing.T) {
	f, err := encode.NewForm(view(types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP, nil), 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Bind([]encode.Column{sent("driver_id", "7", "8"), sent("x", "1704067200", "1704067200000"), sent("event_timestamp", `"2024-01-01"`, `"2024-01-01"`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.AppendValues(nil, nil, 0); err != nil {
		t.Error(err)
	}
	_, _, err = r.AppendValues(nil, nil, 1)
	if err == nil || !strings.Contains(err.Error(), "column x, row 1 (driver_id=8): 1704067200000 seconds from 1970 are outside the years 1 to 9999") || !strings.Contains(err.Error(), "not in milliseconds") {
		t.Error(err)
	}
}
