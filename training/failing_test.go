package training_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// joiner gives the features that a test says.
type joiner struct {
	training.Source
	give func(ctx context.Context, join offline.Join) (array.RecordReader, error)
}

func (j joiner) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	return j.give(ctx, join)
}

// failing fails after its batches.
type failing struct {
	array.RecordReader
	err   error
	ended bool
}

func (f *failing) Next() bool {
	f.ended = !f.RecordReader.Next()
	return !f.ended
}

func (f *failing) Err() error {
	if f.ended {
		return f.err
	}
	return nil
}

func twoDrivers(t *testing.T) array.RecordReader {
	return tableOf(t, cells{"driver_id", whole, `[1, 2]`}, cells{"event_timestamp", zoned, `["2024-03-01", "2024-03-01"]`})
}

// joined makes a set out of what a joiner gives for the label of two drivers.
func joined(t *testing.T, kind types.ValueType_Enum, give func() (array.RecordReader, error)) (*training.Set, error) {
	t.Helper()
	opt := taxiOptions(t, func(r *core.Registry) { r.FeatureViews[0].Spec.Features[1].ValueType = kind })
	opt.Source = joiner{opt.Source, func(context.Context, offline.Join) (array.RecordReader, error) { return give() }}
	set, err := training.New(opt).Historical(t.Context(), training.Request{Features: []string{"fares:label"}, Rows: twoDrivers(t)})
	if err == nil {
		t.Cleanup(set.Close)
	}
	return set, err
}

// A joiner that breaks its contract is a bug of banquet, and a failing one is never the
// end of the rows.
func TestJoinsThatFail(t *testing.T) {
	down := fault.Store(fault.Unavailable, "the store is gone")
	for _, c := range []struct {
		name string
		give func() (array.RecordReader, error)
		kind fault.Kind
	}{
		{"too few rows", func() (array.RecordReader, error) { return tableOf(t, cells{"label", text, `["a"]`}), nil }, fault.Internal},
		{"too many rows", func() (array.RecordReader, error) { return tableOf(t, cells{"label", text, `["a", "b", "c"]`}), nil }, fault.Internal},
		{"no rows", func() (array.RecordReader, error) { return tableOf(t, cells{"label", text, `[]`}), nil }, fault.Internal},
		{"no column", func() (array.RecordReader, error) { return tableOf(t), nil }, fault.Internal},
		{"a column too many", func() (array.RecordReader, error) {
			return tableOf(t, cells{"label", text, `["a", "b"]`}, cells{"more", text, `["a", "b"]`}), nil
		}, fault.Internal},
		{"at once", func() (array.RecordReader, error) { return nil, down }, fault.Unavailable},
		{"in the middle", func() (array.RecordReader, error) {
			return &failing{tableOf(t, cells{"label", text, `["a"]`}), down, false}, nil
		}, fault.Unavailable},
		{"at the end", func() (array.RecordReader, error) {
			return &failing{tableOf(t, cells{"label", text, `["a", "b"]`}), down, false}, nil
		}, fault.Unavailable},
	} {
		set, err := joined(t, types.ValueType_STRING, c.give)
		if err == nil {
			for set.Next() {
				continue
			}
			err = set.Err()
			if set.Next() || set.Err() != err { //nolint:errorlint // it stays the same
				t.Errorf("%s: the error changes", c.name)
			}
		}
		if err == nil || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want a fault that is %s", c.name, err, c.kind)
		}
	}
}

// Entity rows that fail fail the request, whatever was read before.
func TestEntityRowsThatFail(t *testing.T) {
	opt := taxiOptions(t, nil)
	opt.Source = untouched{opt.Source, t}
	broken := fault.New(fault.Invalid, "row 3 is damaged")
	_, err := training.New(opt).Historical(t.Context(), training.Request{Features: []string{"fares:label"}, Rows: &failing{twoDrivers(t), broken, false}})
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// When the caller stops, reading entity rows ends, and nothing stays behind.
func TestACallerWhoStops(t *testing.T) {
	opt := taxiOptions(t, nil)
	opt.Spool.Memory = 1
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	opt.Source = joiner{opt.Source, func(ctx context.Context, join offline.Join) (array.RecordReader, error) {
		for join.Entities.Next() {
			continue
		}
		close(asked)
		<-ctx.Done()
		return nil, fault.Of(ctx.Err())
	}}
	go func() {
		<-asked
		cancel()
	}()
	req := training.Request{Features: []string{"fares:label"}, Rows: twoDrivers(t)}
	if _, err := training.New(opt).Historical(ctx, req); fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v", err)
	}
	req.Rows = twoDrivers(t)
	if _, err := training.New(opt).Historical(ctx, req); fault.KindOf(err) != fault.Canceled {
		t.Errorf("a done context: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(opt.Spool.Dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// queries answers SQL.
type queries func(ctx context.Context) (array.RecordReader, error)

func (q queries) Query(ctx context.Context, _ string) (array.RecordReader, error) { return q(ctx) }

func TestEntityRowsAsSQL(t *testing.T) {
	opt := taxiOptions(t, nil)
	opt.Querier = queries(func(context.Context) (array.RecordReader, error) { return twoDrivers(t), nil })
	got, _ := lines(t, opt, training.Request{Features: []string{"fares:label"}, SQL: "SELECT"})
	wantLines(t, got[1:], "1|2024-03-01T00:00:00Z|text first", "2|2024-03-01T00:00:00Z|null")

	opt.SQLTimeout = time.Nanosecond
	opt.Querier = queries(func(ctx context.Context) (array.RecordReader, error) {
		<-ctx.Done()
		return nil, fault.Of(ctx.Err())
	})
	_, err := training.New(opt).Historical(t.Context(), training.Request{Features: []string{"fares:label"}, SQL: "SELECT"})
	if fault.KindOf(err) != fault.TimedOut || !strings.Contains(err.Error(), "the SQL of the entity rows ran longer than 1ns") {
		t.Errorf("%v", err)
	}
}

// What stores return becomes what Feast returns, without a loss that is not said.
func TestTypesOfFeatures(t *testing.T) {
	stamp := func(unit arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"} }
	times := func(list arrow.DataType) cells { return cells{"label", list, `[["2024-03-01T00:00:00Z", null], null]`} }
	pair := arrow.StructOf(arrow.Field{Name: "n", Type: whole, Nullable: true}, arrow.Field{Name: "at", Type: arrow.FixedWidthTypes.Date32, Nullable: true})
	for _, c := range []struct {
		name   string
		column cells
		kind   types.ValueType_Enum
		typ    string
		want   string // both rows, or the error
		note   string
	}{
		{"integers stay", cells{"label", whole, `[9007199254740993, null]`}, types.ValueType_INT64, "int64", "9007199254740993 null", ""},
		{"seconds", cells{"label", stamp(arrow.Second), `["2024-03-01 00:00:01", null]`}, types.ValueType_UNIX_TIMESTAMP, "timestamp[us]", "2024-03-01T00:00:01Z null", ""},
		{"nanoseconds", cells{"label", stamp(arrow.Nanosecond), `["1969-12-31 23:59:59.123456789", "2024-03-01"]`}, types.ValueType_UNIX_TIMESTAMP, "timestamp[us]", "1969-12-31T23:59:59.123456Z 2024-03-01T00:00:00Z", "column label: 1 times had digits below a microsecond, which the training set does not keep"},
		{"pandas' null", cells{"label", stamp(arrow.Microsecond), `[-9223372036854775808, 0]`}, types.ValueType_UNIX_TIMESTAMP, "timestamp[us]", "null 1970-01-01T00:00:00Z", ""},
		{"infinite", cells{"label", stamp(arrow.Microsecond), `[0, 9223372036854775807]`}, types.ValueType_UNIX_TIMESTAMP, "", "column label, row 2 of the training set: the time is infinite", ""},
		{"too far", cells{"label", stamp(arrow.Second), `[9223372036854775, 0]`}, types.ValueType_UNIX_TIMESTAMP, "", "column label, row 1 of the training set: the time 9223372036854775s does not fit into microseconds", ""},
		{"a date too far", cells{"label", arrow.FixedWidthTypes.Date32, `[0, 2147483647]`}, types.ValueType_UNIX_TIMESTAMP, "", "column label, row 2 of the training set: the time 185542587100800s does not fit into microseconds", ""},
		{"dates", cells{"label", arrow.FixedWidthTypes.Date64, `["2024-03-01", null]`}, types.ValueType_UNIX_TIMESTAMP, "timestamp[us]", "2024-03-01T00:00:00Z null", ""},
		{"lists", times(arrow.ListOf(stamp(arrow.Millisecond))), types.ValueType_UNIX_TIMESTAMP_LIST, "list<item: timestamp[us], nullable>", "[2024-03-01T00:00:00Z null] null", ""},
		{"large lists", times(arrow.LargeListOf(stamp(arrow.Millisecond))), types.ValueType_UNIX_TIMESTAMP_LIST, "large_list<item: timestamp[us], nullable>", "[2024-03-01T00:00:00Z null] null", ""},
		{"lists of two", times(arrow.FixedSizeListOf(2, stamp(arrow.Millisecond))), types.ValueType_UNIX_TIMESTAMP_LIST, "fixed_size_list<item: timestamp[us], nullable>[2]", "[2024-03-01T00:00:00Z null] null", ""},
		{"structs", cells{"label", pair, `[{"n": 1, "at": "2024-03-01"}, null]`}, types.ValueType_MAP, "struct<n: int64 nullable, at: timestamp[us] nullable>", `{"at":"2024-03-01T00:00:00","n":1} null`, ""},
		{"maps", cells{"label", arrow.MapOf(text, arrow.FixedWidthTypes.Date32), `[[{"key": "a", "value": "2024-03-01"}], null]`}, types.ValueType_MAP, "map<utf8, timestamp[us], items_nullable>", `[{"key":"a","value":"2024-03-01T00:00:00"}] null`, ""},
		{"an infinite time in a list", cells{"label", arrow.ListOf(stamp(arrow.Microsecond)), `[[9223372036854775807], []]`}, types.ValueType_UNIX_TIMESTAMP_LIST, "", "column label, the training set: the time is infinite", ""},
		{"numbers", decimals(`["12.30", null]`), types.ValueType_DOUBLE, "float64", "12.3 null", ""},
		{"not a number", decimals(`["NaN", "-0.5"]`), types.ValueType_INT64, "float64", "NaN -0.5", ""},
		{"numbers as text", decimals(`["12.30", null]`), types.ValueType_STRING, "utf8", "text 12.30 null", ""},
		{"too large", decimals(`["1", "1` + strings.Repeat("0", 400) + `"]`), types.ValueType_DOUBLE, "", "column label, row 2 of the training set: the number is too large for float64", ""},
		{"only nulls", cells{"label", arrow.Null, `[null, null]`}, types.ValueType_STRING, "null", "(null) (null)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := joined(t, c.kind, func() (array.RecordReader, error) { return wrapped(t, c.column), nil })
			if err != nil {
				t.Fatal(err)
			}
			if c.typ == "" {
				if set.Next() || set.Err() == nil || !strings.HasPrefix(set.Err().Error(), c.want) || fault.KindOf(set.Err()) != fault.Invalid {
					t.Errorf("%v, want %s", set.Err(), c.want)
				}
				return
			}
			coverage := set.Count()
			got := shown(t, set)
			empty := int64(0)
			for _, row := range got.rows {
				if row[2] == "null" || row[2] == array.NullValueStr {
					empty++
				}
			}
			if coverage.Features[0].Nulls != empty || coverage.Views[0].Empty != empty {
				t.Errorf("%+v, want %d nulls", coverage, empty)
			}
			if got.types[2] != c.typ || got.rows[0][2]+" "+got.rows[1][2] != c.want {
				t.Errorf("%s %s %s, want %s %s", got.types[2], got.rows[0][2], got.rows[1][2], c.typ, c.want)
			}
			if notes := strings.Join(set.Notes, " "); notes != c.note {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

func decimals(list string) cells { return cells{"label", value.NewDecimalText(), list} }

// wrapped makes a column; one of decimals is made of their texts.
func wrapped(t *testing.T, c cells) array.RecordReader {
	t.Helper()
	ext, ok := c.kind.(arrow.ExtensionType)
	if !ok {
		return tableOf(t, c)
	}
	b := array.NewBuilder(memory.DefaultAllocator, ext.StorageType())
	if err := b.UnmarshalJSON([]byte(c.json)); err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: c.name, Type: ext, Nullable: true}}, nil)
	a := array.NewExtensionArrayWithStorage(ext, b.NewArray())
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{a}, int64(a.Len()))})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Decimals of entity rows keep their type while they wait in a file: they may be keys.
func TestDecimalsOfEntityRowsInAFile(t *testing.T) {
	opt := taxiOptions(t, nil)
	opt.Spool.Memory = 1
	key := wrapped(t, cells{"driver_id", value.NewDecimalText(), `["1.00", "9007199254740993"]`})
	key.Next()
	at := twoDrivers(t)
	at.Next()
	schema := arrow.NewSchema([]arrow.Field{key.Schema().Field(0), at.Schema().Field(1)}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{key.RecordBatch().Column(0), at.RecordBatch().Column(1)}, 2)
	rows, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := lines(t, opt, training.Request{Features: []string{"fares:label"}, Rows: rows})
	wantLines(t, got, "driver_id:float64 event_timestamp:timestamp[us] label:utf8", "1|2024-03-01T00:00:00Z|text first", "9007199254740992|2024-03-01T00:00:00Z|null")
}
