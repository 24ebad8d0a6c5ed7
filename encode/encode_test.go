package encode_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// view is a view with one join key and one feature.
func view(key, feature types.ValueType_Enum, mapping map[string]string) *registry.View {
	return &registry.View{
		Name: "trips", Project: "p",
		JoinKeys: []registry.JoinKey{{Name: "driver_id", Type: key}},
		Features: []registry.Feature{{Name: "x", Type: feature}},
		Batch:    &core.DataSource{TimestampField: "ts", FieldMapping: mapping},
	}
}

// batch opens rows given as JSON, each with a key, a feature and an event time.
func batch(t *testing.T, v *registry.View, key, feature arrow.DataType, rows string) *encode.Batch {
	t.Helper()
	l, err := encode.NewLayout(v, 3)
	if err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "driver_id", Type: key, Nullable: true},
		{Name: "x", Type: feature, Nullable: true},
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	}, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(record.Release)
	b, err := l.Open(record)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != fault.Invalid || fault.Of(err).Text != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestRefusalsNameTheRow(t *testing.T) {
	int64s, float64s, text := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String
	const at = `"ts":"2024-01-02T03:04:05.5Z"`
	t.Run("a feature", func(t *testing.T) {
		b := batch(t, view(types.ValueType_INT64, types.ValueType_INT32, nil), int64s, int64s, `[{"driver_id":1001,"x":1,`+at+`},{"driver_id":1002,"x":2147483648,`+at+`}]`)
		if _, err := b.Values(0); err != nil {
			t.Error(err)
		}
		_, err := b.Values(1)
		wantText(t, err, "feature view trips, column x, row driver_id=1002 at 2024-01-02T03:04:05.5Z: 2147483648 does not fit value type INT32")
	})
	t.Run("a key", func(t *testing.T) {
		b := batch(t, view(types.ValueType_INT64, types.ValueType_INT64, nil), float64s, int64s, `[{"driver_id":7.5,"x":1}]`)
		_, _, err := b.Key(0)
		wantText(t, err, "feature view trips, column driver_id, row driver_id=7.5 without an event time: 7.5 has a fraction, but the value must be an integer")
	})
	t.Run("a key of a type that none can be", func(t *testing.T) {
		b := batch(t, view(types.ValueType_DOUBLE, types.ValueType_INT64, nil), float64s, int64s, `[{"driver_id":7.5,`+at+`}]`)
		_, _, err := b.Key(0)
		wantText(t, err, "feature view trips, row driver_id=7.5 at 2024-01-02T03:04:05.5Z: join key driver_id: a value of type DOUBLE cannot be a key")
	})
	t.Run("a long key, and a null one", func(t *testing.T) {
		b := batch(t, view(types.ValueType_STRING, types.ValueType_BOOL, nil), text, text,
			`[{"driver_id":"`+strings.Repeat("é", 500)+`\n","x":"yes",`+at+`},{"driver_id":null,"x":"yes",`+at+`}]`)
		_, err := b.Values(0)
		if text := fault.Of(err).Text; len(text) > 250 || strings.Contains(text, "\n") {
			t.Error(text)
		}
		_, err = b.Values(1)
		wantText(t, err, "feature view trips, column x, row driver_id=null at 2024-01-02T03:04:05.5Z: a column of type utf8 does not fit value type BOOL")
	})
	t.Run("a feature without a type", func(t *testing.T) {
		b := batch(t, view(types.ValueType_INT64, types.ValueType_INVALID, nil), int64s, text, `[{"driver_id":1,"x":null,`+at+`},{"driver_id":1,"x":"a",`+at+`}]`)
		if values, err := b.Values(0); err != nil || len(values[0]) > 0 {
			t.Errorf("a null without a type: %x, %v", values, err)
		}
		_, err := b.Values(1)
		wantText(t, err, "feature view trips, column x, row driver_id=1 at 2024-01-02T03:04:05.5Z: it has no value type, since Feast knows none for its type in the source; list it in the view's schema")
	})
}

func TestNullColumnsAreNull(t *testing.T) {
	b := batch(t, view(types.ValueType_INT64, types.ValueType_DOUBLE_LIST, nil), arrow.PrimitiveTypes.Int64, arrow.Null, `[{"driver_id":1,"x":null,"ts":"2024-01-02T03:04:05Z"}]`)
	if values, err := b.Values(0); err != nil || len(values[0]) > 0 {
		t.Errorf("%x, %v", values, err)
	}
	b = batch(t, view(types.ValueType_INT64, types.ValueType_INT64, nil), arrow.Null, arrow.PrimitiveTypes.Int64, `[{"driver_id":null,"x":1,"ts":"2024-01-02T03:04:05Z"}]`)
	if _, ok, err := b.Key(0); ok || err != nil {
		t.Errorf("a null key: %v, %v", ok, err)
	}
}

func TestMappingsThatLeaveTheColumnOpen(t *testing.T) {
	for _, c := range []struct {
		name    string
		mapping map[string]string
		want    string // empty: the mapping is clear
	}{
		{"two columns, one name", map[string]string{"b": "x", "a": "x"}, "the source's field mapping renames both column a and column b to x; keep one of them"},
		{"two columns, one key", map[string]string{"b": "driver_id", "a": "driver_id"}, "the source's field mapping renames both column a and column b to driver_id; keep one of them"},
		{"two columns, one time", map[string]string{"b": "ts", "a": "ts"}, "the source's field mapping renames both column a and column b to ts; keep one of them"},
		{"renamed away", map[string]string{"x": "y"}, "the source's field mapping renames column x to y, and no other column gives x"},
		{"swapped", map[string]string{"x": "driver_id", "driver_id": "x"}, ""},
		{"two that the view does not want", map[string]string{"a": "z", "b": "z"}, ""},
		{"plain", map[string]string{"a": "x", "t": "ts"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := encode.NewLayout(view(types.ValueType_INT64, types.ValueType_INT64, c.mapping), 3)
			if c.want != "" {
				wantText(t, err, "feature view trips: "+c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "swapped" && (l.Columns()[0] != "x" || l.Columns()[1] != "driver_id") {
				t.Errorf("columns %v", l.Columns())
			}
		})
	}
}

func TestTimesThatAreNone(t *testing.T) {
	l, err := encode.NewLayout(view(types.ValueType_INT64, types.ValueType_INT64, nil), 3)
	if err != nil {
		t.Fatal(err)
	}
	open := func(times arrow.Array) *encode.Batch {
		numbers := array.NewInt64Builder(memory.DefaultAllocator)
		defer numbers.Release()
		for i := range times.Len() {
			numbers.Append(int64(i))
		}
		column := numbers.NewArray()
		defer column.Release()
		fields := []arrow.Field{{Name: "driver_id", Type: column.DataType()}, {Name: "x", Type: column.DataType()}, {Name: "ts", Type: times.DataType(), Nullable: true}}
		record := array.NewRecordBatch(arrow.NewSchema(fields, nil), []arrow.Array{column, column, times}, int64(times.Len()))
		t.Cleanup(record.Release)
		b, err := l.Open(record)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	stamps := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond})
	defer stamps.Release()
	for _, v := range []arrow.Timestamp{value.Infinity, value.MinusInfinity, -1 << 63, 1} {
		stamps.Append(v)
	}
	b := open(stamps.NewArray())
	for row := range 4 {
		event, _, ok := b.Times(row)
		if ok != (row == 3) {
			t.Errorf("row %d: %v, %v", row, event, ok)
		}
	}
	days := array.NewDate32Builder(memory.DefaultAllocator)
	defer days.Release()
	days.Append(1)
	if event, _, ok := open(days.NewArray()).Times(0); !ok || !event.Equal(time.Unix(86400, 0)) {
		t.Errorf("a date: %v, %v", event, ok)
	}
	if _, _, ok := open(array.NewNull(1)).Times(0); ok {
		t.Error("a null is a time")
	}
}
