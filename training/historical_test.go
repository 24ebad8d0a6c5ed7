package training_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
)

// lines are the rows of a training set, below its columns with their types.
func lines(t *testing.T, opt training.Options, req training.Request) ([]string, *training.Set) {
	t.Helper()
	set, err := training.New(opt).Historical(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	s := shown(t, set)
	for i, name := range s.names {
		s.names[i] = name + ":" + s.types[i]
	}
	all := []string{strings.Join(s.names, " ")}
	for _, row := range s.rows {
		all = append(all, strings.Join(row, "|"))
	}
	return all, set
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEntityColumnsAndTheirOrderAreKept(t *testing.T) {
	category := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}
	rows := tableOf(t,
		cells{"note", category, `["x", null, "x", ""]`},
		cells{"driver_id", arrow.PrimitiveTypes.Int32, `[2, 1, 1, null]`},
		cells{"event_timestamp", zoned, `["2024-03-01 01:30:00", "2024-03-01 00:59:59.999999999", "2024-03-01 01:00:00", "2024-03-01 01:00:00"]`},
		cells{"day", arrow.FixedWidthTypes.Date32, `["2024-02-29", null, "1969-12-31", "2024-01-01"]`},
		cells{"big", whole, `[9007199254740993, null, -1, 0]`},
	)
	got, set := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"fares:label", "trips:trips", "fares:fare", "weather:sky"}, Rows: rows})
	wantLines(
		t, got, "note:utf8 driver_id:int32 event_timestamp:timestamp[us] day:timestamp[us] big:int64 label:utf8 fare:float64 trips:int64 sky:utf8",
		"text x|2|2024-03-01T01:30:00Z|2024-02-29T00:00:00Z|9007199254740993|null|null|null|text rain",
		"null|1|2024-03-01T00:59:59.999999Z|null|null|text first|10.5|7|text rain",
		"text x|1|2024-03-01T01:00:00Z|1969-12-31T00:00:00Z|-1|text second|11.5|7|text rain",
		"text |null|2024-03-01T01:00:00Z|2024-01-01T00:00:00Z|0|null|null|null|text rain",
	)
	if want := []string{"column event_timestamp: 1 times had digits below a microsecond, which the training set does not keep"}; cmp.Diff(want, set.Notes) != "" {
		t.Errorf("notes %q", set.Notes)
	}
	if set.Timestamp != "event_timestamp" || set.Entities != 4 || strings.Join(set.Features, " ") != "label fare trips sky" {
		t.Errorf("%s, %d rows, %q", set.Timestamp, set.Entities, set.Features)
	}
}

// The same moment in every type that holds times.
func TestEventTimesOfEveryType(t *testing.T) {
	stamp := func(unit arrow.TimeUnit, zone string) arrow.DataType {
		return &arrow.TimestampType{Unit: unit, TimeZone: zone}
	}
	for _, c := range []struct {
		kind arrow.DataType
		json string
	}{
		{stamp(arrow.Second, ""), `["2024-03-01 00:00:00"]`},
		{stamp(arrow.Millisecond, "UTC"), `["2024-03-01 00:00:00"]`},
		{stamp(arrow.Microsecond, "Asia/Seoul"), `["2024-03-01 00:00:00"]`},
		{stamp(arrow.Nanosecond, ""), `["2024-03-01 00:00:00"]`},
		{arrow.FixedWidthTypes.Date32, `["2024-03-01"]`},
		{arrow.FixedWidthTypes.Date64, `["2024-03-01"]`},
		{text, `["2024-03-01T09:00:00+09:00"]`},
		{arrow.BinaryTypes.LargeString, `["2024-03-01"]`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `["2024-03-01 00:00:00Z"]`},
	} {
		rows := tableOf(t, cells{"driver_id", whole, `[1]`}, cells{"event_timestamp", c.kind, c.json})
		got, _ := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"fares:label"}, Rows: rows})
		if want := "1|2024-03-01T00:00:00Z|text first"; got[1] != want {
			t.Errorf("%s: %s, want %s", c.kind, got[1], want)
		}
	}
}

func TestRowsWithoutATimeHaveNoFeatures(t *testing.T) {
	for _, column := range []cells{{"event_timestamp", zoned, `[null]`}, {"event_timestamp", text, `[null]`}, {"event_timestamp", arrow.Null, `[null]`}} {
		got, _ := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"trips:trips", "weather:sky"}, Rows: tableOf(t, cells{"driver_id", whole, `[1]`}, column)})
		wantLines(t, got, "driver_id:int64 event_timestamp:timestamp[us] trips:int64 sky:utf8", "1|null|null|null")
	}
}

func TestTheColumnOfTimes(t *testing.T) {
	driver := cells{"driver_id", whole, `[1]`}
	at := time.Date(2024, 3, 1, 0, 45, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		name    string
		columns []cells
		at      time.Time
		want    string // the row, or the error
		note    string
	}{
		{"its name", []cells{driver, {"event_timestamp", zoned, `["2024-03-01 01:00:00"]`}, {"b", zoned, `["2024-03-01"]`}}, at, "1|2024-03-01T01:00:00Z|2024-03-01T00:00:00Z|text second", ""},
		{"the only one", []cells{{"asked", zoned, `["2024-03-01 01:00:00"]`}, driver}, time.Time{}, "2024-03-01T01:00:00Z|1|text second", "the event times are those of column asked, the only column of timestamps"},
		{"two", []cells{driver, {"a", zoned, `["2024-03-01"]`}, {"b", zoned, `["2024-03-01"]`}}, at, "Please provide an entity_df with a column named event_timestamp representing the time of events.", ""},
		{"none", []cells{driver}, time.Time{}, "Please provide an entity_df with a column named event_timestamp representing the time of events.", ""},
		{"a date is none", []cells{driver, {"born", arrow.FixedWidthTypes.Date32, `["1990-01-01"]`}}, time.Time{}, "Please provide an entity_df with a column named event_timestamp representing the time of events.", ""},
		{"given", []cells{driver}, at, "1|2024-02-29T23:45:00Z|null", "the entity rows have no column of times: taken as of 2024-02-29T23:45:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := training.New(taxiOptions(t, nil)).Historical(t.Context(), training.Request{Features: []string{"fares:label"}, Rows: tableOf(t, c.columns...), At: c.at})
			if err != nil {
				if err.Error() != c.want || fault.Of(err).Reason != fault.TimeUnset {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			defer set.Close()
			got := shown(t, set)
			if row := strings.Join(got.rows[0], "|"); row != c.want {
				t.Errorf("%s, want %s", row, c.want)
			}
			if notes := strings.Join(set.Notes, "\n"); notes != c.note {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// What cannot be answered is refused in one line, before the store is read.
func TestRefusals(t *testing.T) {
	driver, at := cells{"driver_id", whole, `[1, 2]`}, cells{"event_timestamp", zoned, `["2024-03-01", null]`}
	rows := func(columns ...cells) training.Request {
		return training.Request{Features: []string{"fares:label"}, Rows: tableOf(t, columns...)}
	}
	with := func(change func(*training.Request)) training.Request {
		req := rows(driver, at)
		change(&req)
		return req
	}
	day := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, want string
		kind       fault.Kind
		req        training.Request
		change     func(*core.Registry)
	}{
		{"times are integers", "column event_timestamp of the entity rows holds int64, not times; a number does not say its unit; make them timestamps, or texts in ISO 8601", fault.Invalid, rows(driver, cells{"event_timestamp", whole, `[1, 2]`}), nil},
		{"times are booleans", "column event_timestamp of the entity rows holds bool, not times; make them timestamps", fault.Invalid, rows(driver, cells{"event_timestamp", arrow.FixedWidthTypes.Boolean, `[true, false]`}), nil},
		{"a text is no time", `entity rows, row 2, column event_timestamp: "yesterday" is not a time`, fault.Invalid, rows(driver, cells{"event_timestamp", text, `["2024-03-01", "yesterday"]`}), nil},
		{"a time is infinite", "entity rows, row 1, column event_timestamp: the time is infinite", fault.Invalid, rows(driver, cells{"event_timestamp", &arrow.TimestampType{Unit: arrow.Microsecond}, `[9223372036854775807, null]`}), nil},
		{"a time is far", "entity rows, row 1, column event_timestamp: the time is in the year 11970; event times are in the years 1 to 9999", fault.Invalid, rows(driver, cells{"event_timestamp", &arrow.TimestampType{Unit: arrow.Second}, `[315569520000, null]`}), nil},
		{"a column occurs twice", `the entity rows have two columns "driver_id"; rename one of them`, fault.Invalid, rows(driver, driver, at), nil},
		{"a join key is missing", `the entity rows have no column "driver_id", a join key of feature view fares; their columns are driver, event_timestamp`, fault.Invalid, rows(cells{"driver", whole, `[1, 2]`}, at), nil},
		{"a mapped join key is missing", `the entity rows have no column "you", a join key of feature view yours; their columns are me, event_timestamp`, fault.Invalid, with(func(r *training.Request) {
			r.Features, r.Service, r.FullNames, r.Rows = nil, "pairs", true, tableOf(t, cells{"me", whole, `[1, 2]`}, at)
		}), nil},
		{"a column has a feature's name", `the entity rows have a column "label", which is the name of feature fares:label, too`, fault.Invalid, rows(driver, at, cells{"label", text, `["", ""]`}), nil},
		{"no rows, SQL or range", "the request has no entity rows; give rows, SQL, or a range of time", fault.Invalid, with(func(r *training.Request) { r.Rows = nil }), nil},
		{"rows and a range", "Cannot specify both entity_df and start_date/end_date.", fault.Invalid, with(func(r *training.Request) { r.End = day }), nil},
		{"rows and SQL", "the request has entity rows and SQL for entity rows", fault.Invalid, with(func(r *training.Request) { r.SQL = "SELECT 1" }), nil},
		{"SQL without a database", "entity rows can be SQL only with an offline store that runs SQL", fault.Invalid, with(func(r *training.Request) { r.Rows, r.SQL = nil, "SELECT 1" }), nil},
		{"a range from its end", "the range of time starts at 2024-03-01T01:00:00Z, after its end at 2024-03-01T00:00:00Z", fault.Invalid, with(func(r *training.Request) { r.Rows, r.Start, r.End = nil, day.Add(time.Hour), day }), nil},
		{"a range of different keys", "a range of time needs views with the same join keys: fares has driver_id (INT64), weather has none", fault.Invalid, with(func(r *training.Request) {
			r.Rows, r.End, r.Features = nil, day, []string{"fares:label", "weather:sky"}
		}), nil},
		{"a service and features", "the request names a feature service and features", fault.Invalid, with(func(r *training.Request) { r.Service = "pairs" }), nil},
		{"no features", "No features specified for retrieval", fault.Invalid, with(func(r *training.Request) { r.Features = nil }), nil},
		{"no such view", "Feature view nope does not exist in project taxi", fault.NotFound, with(func(r *training.Request) { r.Features = []string{"nope:x"} }), nil},
		{"no such feature", "Feature nope not found in projection fares", fault.Invalid, with(func(r *training.Request) { r.Features = []string{"fares:nope"} }), nil},
		{"no such service", "Feature service nope does not exist in project taxi", fault.NotFound, with(func(r *training.Request) { r.Features, r.Service = nil, "nope" }), nil},
		{"no such project", "Project nope does not exist", fault.NotFound, with(func(r *training.Request) { r.Project = "nope" }), nil},
		{"a reference without a view", "Invalid feature reference 'label'.", fault.Invalid, with(func(r *training.Request) { r.Features = []string{"label"} }), nil},
		{"the same feature twice", "Duplicate features named label found.", fault.Invalid, with(func(r *training.Request) { r.Features = []string{"fares:label", "fares:label"} }), nil},
		{"a version without versions", "Version-qualified ref 'fares@v1' not supported", fault.Invalid, with(func(r *training.Request) { r.Features = []string{"fares@v1:label"} }), nil},
		{"an alias of no service", "feature view fares cannot be found under the name theirs: no feature service of project taxi has it under this name", fault.Invalid, with(func(r *training.Request) {
			r.Features, r.Aliases = []string{"theirs:label"}, []registry.Alias{{View: "fares", Name: "theirs"}}
		}), nil},
		{"a disabled view", "Feature view 'fares' is disabled", fault.Disabled, rows(driver, at), func(r *core.Registry) { r.FeatureViews[0].Spec.Disabled = true }},
		{"a view without rows", "Feature view 'fares' is in state 'CREATED'", fault.Disabled, rows(driver, at), func(r *core.Registry) { r.FeatureViews[0].Meta.State = core.FeatureViewState_CREATED }},
		{"a view without a source", "feature view fares has no batch source to read from", fault.Invalid, rows(driver, at), func(r *core.Registry) { r.FeatureViews[0].Spec.BatchSource = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt := taxiOptions(t, c.change)
			opt.Source = untouched{opt.Source, t}
			_, err := training.New(opt).Historical(t.Context(), c.req)
			if err == nil || fault.KindOf(err) != c.kind || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("%v (%s), want %s (%s)", err, fault.KindOf(err), c.want, c.kind)
			}
			if lines := strings.Count(err.Error(), "\n"); lines > 1 || lines == 1 && fault.Of(err).Reason != fault.Collision {
				t.Errorf("%d lines: %s", lines+1, err)
			}
		})
	}
}

func TestOneViewUnderTwoNames(t *testing.T) {
	rows := func() array.RecordReader {
		return tableOf(t, cells{"you", text, `["1", "2"]`}, cells{"me", whole, `[2, 1]`}, cells{"event_timestamp", zoned, `["2024-03-01", "2024-03-01"]`})
	}
	got, _ := lines(t, taxiOptions(t, nil), training.Request{Service: "pairs", FullNames: true, Rows: rows()})
	want := []string{
		"you:utf8 me:int64 event_timestamp:timestamp[us] mine__label:utf8 yours__label:utf8",
		"text 1|2|2024-03-01T00:00:00Z|null|text first", "text 2|1|2024-03-01T00:00:00Z|text first|null",
	}
	wantLines(t, got, want...)
	got, _ = lines(t, taxiOptions(t, nil), training.Request{
		Features: []string{"mine:label", "yours:label"}, FullNames: true, Rows: rows(),
		Aliases: []registry.Alias{{View: "fares", Name: "yours"}, {View: "fares", Name: "mine"}},
	})
	wantLines(t, got, want...)
}

func TestRowsCreatedLaterAreLeftOut(t *testing.T) {
	for created, want := range map[bool]string{false: "1|2024-03-01T01:30:00Z|text second|7", true: "1|2024-03-01T01:30:00Z|text first|7"} {
		rows := tableOf(t, cells{"driver_id", whole, `[1]`}, cells{"event_timestamp", zoned, `["2024-03-01 01:30:00"]`})
		got, _ := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"fares:label", "trips:trips"}, Rows: rows, CreatedBefore: created})
		if got[1] != want {
			t.Errorf("created before %t: %s, want %s", created, got[1], want)
		}
	}
}

func TestRangeOfOneView(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2024, 3, 1, hour, 0, 0, 0, time.UTC) }
	head := "event_timestamp:timestamp[us] created_timestamp:timestamp[us] driver_id:int64 fares__fare:float64"
	first, second := "2024-03-01T00:00:00Z|2024-03-01T00:00:00Z|1|10.5", "2024-03-01T01:00:00Z|2024-03-01T05:00:00Z|1|11.5"
	null := "2024-03-01T00:00:00Z|2024-03-01T00:00:00Z|2|null"
	for _, c := range []struct {
		name       string
		start, end time.Time
		want       []string
	}{
		{"both ends are inclusive", at(0), at(1), []string{first, second, null}},
		{"it starts the ttl before its end", time.Time{}, at(3), []string{second}},
		{"it ends now", at(1), time.Time{}, []string{second}},
		{"nothing", at(5), at(6), nil},
	} {
		got, set := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"fares:fare"}, FullNames: true, Start: c.start, End: c.end})
		if diff := cmp.Diff(append([]string{head}, c.want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if set.Entities != -1 || set.Timestamp != "event_timestamp" {
			t.Errorf("%s: %d entity rows, %s", c.name, set.Entities, set.Timestamp)
		}
	}
	got, _ := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"weather:sky"}, End: at(0)})
	wantLines(t, got, "event_timestamp:timestamp[us] sky:utf8", "2024-03-01T00:00:00Z|text clear")
}

// A range of several views has a row for each time of a key. Rows before the range do
// not count, as in Feast.
func TestRangeOfSeveralViews(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2024, 3, 1, hour, minute, 0, 0, time.UTC) }
	req := training.Request{Features: []string{"trips:trips", "fares:label"}, Start: at(0, 0), End: at(1, 0)}
	got, set := lines(t, taxiOptions(t, nil), req)
	wantLines(
		t, got, "event_timestamp:timestamp[us] driver_id:int64 trips:int64 label:utf8", "2024-03-01T00:00:00Z|1|null|text first",
		"2024-03-01T00:00:00Z|2|null|null", "2024-03-01T00:30:00Z|1|7|text first", "2024-03-01T01:00:00Z|1|7|text second",
	)
	if set.Entities != 4 {
		t.Errorf("%d rows", set.Entities)
	}
	req.Start = at(0, 15)
	got, _ = lines(t, taxiOptions(t, nil), req)
	wantLines(t, got[1:], "2024-03-01T00:30:00Z|1|7|null", "2024-03-01T01:00:00Z|1|7|text second")
}

// Many rows, of which most wait in a file, in batches of every size.
func TestManyRowsInOrder(t *testing.T) {
	const n = 30_000
	keys, times := make([]string, n), make([]string, n)
	for i := range n {
		keys[i], times[i] = fmt.Sprint(i%3+1), fmt.Sprintf("%q", time.Date(2024, 3, 1, 0, 0, i, 0, time.UTC).Format("2006-01-02 15:04:05"))
	}
	rows := tableOf(t, cells{"driver_id", whole, "[" + strings.Join(keys, ",") + "]"}, cells{"event_timestamp", zoned, "[" + strings.Join(times, ",") + "]"})
	opt := taxiOptions(t, nil)
	opt.Spool.Memory = 1
	set, err := training.New(opt).Historical(t.Context(), training.Request{Features: []string{"trips:trips"}, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	coverage := set.Count()
	row := 0
	for set.Next() {
		batch := set.RecordBatch()
		if batch.NumRows() > 8<<10 {
			t.Errorf("a batch of %d rows", batch.NumRows())
		}
		for i := range int(batch.NumRows()) {
			trips := "9"
			switch {
			case row%3 == 1, row%3 == 0 && row < 1800:
				trips = "null"
			case row%3 == 0:
				trips = "7"
			}
			at := time.Date(2024, 3, 1, 0, 0, row, 0, time.UTC).Format(time.RFC3339)
			if got, want := shownCell(batch.Column(0), i)+shownCell(batch.Column(1), i)+shownCell(batch.Column(2), i), keys[row]+at+trips; got != want {
				t.Fatalf("row %d: %s, want %s", row, got, want)
			}
			row++
		}
	}
	if set.Err() != nil || row != n {
		t.Errorf("%d rows, %v", row, set.Err())
	}
	const nulls = n/3 + 600
	if coverage.Rows != n || coverage.Features[0] != (training.FeatureCoverage{Name: "trips", Nulls: nulls}) || coverage.Views[0] != (training.ViewCoverage{Name: "trips", Empty: nulls}) {
		t.Errorf("%+v", coverage)
	}
	if left, err := filepath.Glob(filepath.Join(opt.Spool.Dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNoEntityRows(t *testing.T) {
	got, set := lines(t, taxiOptions(t, nil), training.Request{Features: []string{"fares:fare"}, Rows: tableOf(t, cells{"driver_id", whole, `[]`}, cells{"event_timestamp", zoned, `[]`})})
	wantLines(t, got, "driver_id:int64 event_timestamp:timestamp[us] fare:float64")
	if set.Entities != 0 {
		t.Errorf("%d rows", set.Entities)
	}
}

// A temporary directory that cannot be used is said to be one.
func TestNoPlaceForTemporaryFiles(t *testing.T) {
	opt := taxiOptions(t, nil)
	opt.Spool = spool.Options{Dir: filepath.Join(t.TempDir(), "nowhere"), Memory: 1}
	_, err := training.New(opt).Historical(t.Context(), training.Request{
		Features: []string{"fares:fare"}, Rows: tableOf(t, cells{"driver_id", whole, `[1]`}, cells{"event_timestamp", zoned, `["2024-03-01"]`}),
	})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), opt.Spool.Dir) {
		t.Errorf("%v", err)
	}
}

func TestTypesOfTheEntityRows(t *testing.T) {
	kinds, err := training.New(taxiOptions(t, nil)).EntityTypes(training.Request{Service: "pairs", FullNames: true})
	want := map[string]types.ValueType_Enum{"me": types.ValueType_INT64, "you": types.ValueType_INT64, "event_timestamp": types.ValueType_STRING}
	if diff := cmp.Diff(want, kinds); err != nil || diff != "" {
		t.Errorf("%v:\n%s", err, diff)
	}
}

func TestNoRegistryYet(t *testing.T) {
	_, err := training.New(training.Options{Snapshots: func() *registry.Snapshot { return nil }}).Historical(context.Background(), training.Request{})
	if fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}
