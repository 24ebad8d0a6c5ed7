package training_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
)

// shelf is an offline store that records what it is asked. Its sources have the columns
// driver, "Trips Today", note, ts and created, and one row.
type shelf struct {
	offline.Joiner
	query   offline.Query
	keys    []int
	written *core.DataSource
	rows    int64
	err     error
}

var shelfColumns = []offline.Column{
	{Name: "ts", Type: types.ValueType_UNIX_TIMESTAMP, Native: "timestamp with time zone"},
	{Name: "driver", Type: types.ValueType_INT64, Native: "bigint"},
	{Name: "Trips Today", Type: types.ValueType_INT64, Native: "integer"},
	{Name: "note", Type: types.ValueType_STRING, Native: "text"},
	{Name: "created", Type: types.ValueType_UNIX_TIMESTAMP, Native: "timestamp with time zone"},
}

func (s *shelf) Check(context.Context) error { return nil }

func (s *shelf) Span(context.Context, offline.Query) (offline.Span, error) {
	return offline.Span{}, nil
}

func (s *shelf) Columns(_ context.Context, m *core.DataSource) ([]offline.Column, error) {
	s.query.Source = m
	return shelfColumns, s.err
}

func (s *shelf) Range(_ context.Context, q offline.Query) (array.RecordReader, error) {
	s.query = q
	var fields []arrow.Field
	add := func(names ...string) {
		for _, n := range names {
			f := arrow.Field{Name: n, Type: arrow.BinaryTypes.String, Nullable: true}
			if n == q.Timestamp || n == q.Created {
				f.Type = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
			}
			fields = append(fields, f)
		}
	}
	add(q.Columns...)
	add(q.Timestamp)
	if q.Created != "" {
		add(q.Created)
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, f := range fields {
		text := "a " + f.Name
		if f.Type.ID() == arrow.TIMESTAMP {
			text = "2024-01-02T03:04:05Z"
		}
		if err := b.Field(i).AppendValueFromString(text); err != nil {
			return nil, err
		}
	}
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	return r, err
}

func (s *shelf) Latest(ctx context.Context, q offline.Query, keys []int) (array.RecordReader, error) {
	s.keys = keys
	return s.Range(ctx, q)
}

func (s *shelf) Append(_ context.Context, m *core.DataSource, rows array.RecordReader) (int64, error) {
	s.written = m
	return s.count(rows)
}

func (s *shelf) Create(_ context.Context, m *core.DataSource, rows array.RecordReader, replace bool) (int64, error) {
	if s.written = m; !replace && m.GetName() == "taken" {
		return 0, fault.New(fault.Conflict, "table taken exists")
	}
	return s.count(rows)
}

func (s *shelf) count(rows array.RecordReader) (int64, error) {
	s.rows = 0
	for rows.Next() {
		s.rows += rows.RecordBatch().NumRows()
	}
	return s.rows, rows.Err()
}

func tableSource(name, table string) *core.DataSource {
	conf, _ := json.Marshal(map[string]string{"name": name, "query": "", "table": table}) //nolint:errchkjson // texts
	return &core.DataSource{
		Name: name, Type: core.DataSource_CUSTOM_SOURCE, DataSourceClassType: "PostgreSQLSource", TimestampField: "ts",
		Options: &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: conf}},
	}
}

// shelfService has a view of mapped columns with a source that is only within it, the
// source of a push source, and a saved dataset.
func shelfService(t *testing.T, change func(*training.Options)) (*training.Service, *shelf) {
	t.Helper()
	const project = "p"
	trips := tableSource("trips", "trips")
	trips.FieldMapping = map[string]string{"Trips Today": "trips"}
	pushed := &core.DataSource{Name: "pushed", Project: project, Type: core.DataSource_PUSH_SOURCE, BatchSource: tableSource("behind", "behind")}
	saved := &core.SavedDataset{Spec: &core.SavedDatasetSpec{Name: "set", Project: project, Storage: &core.SavedDatasetStorage{
		Kind: &core.SavedDatasetStorage_CustomStorage{CustomStorage: tableSource("", "saved_table").GetCustomOptions()},
	}}}
	saved2 := &core.SavedDataset{Spec: &core.SavedDatasetSpec{Name: "set2", Project: project, Storage: &core.SavedDatasetStorage{
		Kind: &core.SavedDatasetStorage_FileStorage{FileStorage: &core.DataSource_FileOptions{Uri: "data/set.parquet"}},
	}}}
	reg := &core.Registry{
		Projects:    []*core.Project{{Spec: &core.ProjectSpec{Name: project}}},
		DataSources: []*core.DataSource{pushed},
		Entities:    []*core.Entity{{Spec: &core.EntitySpecV2{Name: "driver", Project: project, JoinKey: "driver", ValueType: types.ValueType_INT64}}},
		FeatureViews: []*core.FeatureView{{Spec: &core.FeatureViewSpec{
			Name: "trips", Project: project, Entities: []string{"driver"}, BatchSource: trips, Online: true,
			EntityColumns: []*core.FeatureSpecV2{{Name: "driver", ValueType: types.ValueType_INT64}},
			Features:      []*core.FeatureSpecV2{{Name: "trips", ValueType: types.ValueType_INT32}},
		}}},
		SavedDatasets: []*core.SavedDataset{saved, saved2},
	}
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{}
	opt := training.Options{
		Snapshots: func() *registry.Snapshot { return snapshot }, Project: project, Source: s, Writer: s,
		Saved: func(name string) (*core.DataSource, error) { return tableSource(name, name), nil },
	}
	if change != nil {
		change(&opt)
	}
	return training.New(opt), s
}

func TestPullsReadTheColumnsOfTheSource(t *testing.T) {
	first, last := time.Unix(1, 0), time.Unix(2, 0)
	for _, c := range []struct {
		name  string
		pull  training.Pull
		query offline.Query
		keys  []int
		want  []string // names of the columns
	}{
		{
			"all rows, with the types that the view gives mapped columns",
			training.Pull{Source: "trips", Keys: []string{"driver"}, Features: []string{"Trips Today", "note"}, Timestamp: "ts", Created: "created", Start: first, End: last},
			offline.Query{
				Columns: []string{"driver", "Trips Today", "note"}, Types: []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_INT32, types.ValueType_STRING},
				Timestamp: "ts", Created: "created", Start: first, End: last,
			},
			nil,
			[]string{"driver", "Trips Today", "note", "ts", "created"},
		},
		{
			"the latest rows",
			training.Pull{Source: "behind", Keys: []string{"driver", "note"}, Features: []string{"Trips Today"}, Timestamp: "ts", Latest: true},
			offline.Query{Columns: []string{"driver", "note", "Trips Today"}, Types: []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_STRING, types.ValueType_INT64}, Timestamp: "ts"},
			[]int{0, 1},
			[]string{"driver", "note", "Trips Today", "ts"},
		},
		{
			"the latest row, with Feast's dummy key",
			training.Pull{Source: "trips", Features: []string{"Trips Today"}, Timestamp: "ts", Latest: true},
			offline.Query{Columns: []string{"Trips Today"}, Types: []types.ValueType_Enum{types.ValueType_INT32}, Timestamp: "ts"},
			[]int{},
			[]string{"Trips Today", "ts", "__dummy_id"},
		},
		{
			"all columns in the source's order",
			training.Pull{Source: "saved_table", Keys: []string{"note"}, Timestamp: "ts", Created: "created"},
			offline.Query{
				Columns: []string{"note", "driver", "Trips Today"}, Types: []types.ValueType_Enum{types.ValueType_STRING, types.ValueType_INT64, types.ValueType_INT64},
				Timestamp: "ts", Created: "created",
			},
			nil,
			[]string{"ts", "driver", "Trips Today", "note", "created"},
		},
		{
			"a saved dataset in a file",
			training.Pull{Source: "data/set.parquet", Features: []string{"note"}, Timestamp: "ts"},
			offline.Query{Columns: []string{"note"}, Types: []types.ValueType_Enum{types.ValueType_STRING}, Timestamp: "ts"},
			nil,
			[]string{"note", "ts"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			service, s := shelfService(t, nil)
			set, err := service.Pull(t.Context(), c.pull)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			if got := s.query.Source.GetName(); got != c.pull.Source {
				t.Errorf("source %s", got)
			}
			s.query.Source = nil
			if diff := cmp.Diff(c.query, s.query); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.keys, s.keys); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			checkSet(t, set, c.want)
		})
	}
}

// checkSet checks the one row of a shelf.
func checkSet(t *testing.T, set *training.Set, want []string) {
	t.Helper()
	var names []string
	for _, f := range set.Schema().Fields() {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	rows := 0
	for set.Next() {
		rows++
		for i, c := range set.RecordBatch().Columns() {
			text := "a " + names[i]
			switch names[i] {
			case "ts", "created":
				text = "2024-01-02T03:04:05"
				if c.DataType().String() != "timestamp[us, tz=]" && c.DataType().String() != "timestamp[us]" {
					t.Errorf("%s is a %s", names[i], c.DataType())
				}
			case "__dummy_id":
				text = ""
			}
			if got := strings.TrimSuffix(strings.TrimSuffix(c.ValueStr(0), "Z"), ".000000"); got != text {
				t.Errorf("%s is %q, want %q", names[i], got, text)
			}
		}
	}
	if rows != 1 || set.Err() != nil {
		t.Errorf("%d batches, then %v", rows, set.Err())
	}
}

func TestPullsThatCannotBe(t *testing.T) {
	service, s := shelfService(t, nil)
	_, err := service.Pull(t.Context(), training.Pull{Source: "secrets", Features: []string{"a"}, Timestamp: "ts"})
	if f := fault.Of(err); f.Kind != fault.NotFound || f.Object.Kind != "data source" || f.Text != "Data source secrets does not exist in project p" {
		t.Errorf("%v", err)
	}
	if _, err := service.Pull(t.Context(), training.Pull{Source: "trips"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a time column: %v", err)
	}
	if _, err := service.Pull(t.Context(), training.Pull{Project: "q", Source: "trips", Timestamp: "ts"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another project: %v", err)
	}
	s.err = fault.Store(fault.Unavailable, "down")
	if _, err := service.Pull(t.Context(), training.Pull{Source: "trips", Timestamp: "ts"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a store that is down: %v", err)
	}
	empty, _ := shelfService(t, func(o *training.Options) { o.Snapshots = func() *registry.Snapshot { return nil } })
	if _, err := empty.Pull(t.Context(), training.Pull{Source: "trips", Timestamp: "ts"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("no registry: %v", err)
	}
}

func TestADescribedSourceMustEqualARegisteredOne(t *testing.T) {
	registered := func(change func(*core.DataSource)) *core.DataSource {
		m := tableSource("trips", "trips")
		m.FieldMapping = map[string]string{"Trips Today": "trips"}
		if change != nil {
			change(m)
		}
		return m
	}
	for _, c := range []struct {
		name string
		sent *core.DataSource
		says string // empty if it is accepted
	}{
		{"as it is registered", registered(nil), ""},
		{"with other times, tags and words", registered(func(m *core.DataSource) {
			m.Meta = &core.DataSource_SourceMeta{CreatedTimestamp: timestamppb.Now()}
			m.Tags, m.Owner, m.Description, m.Project = map[string]string{"a": "b"}, "me", "text", "p"
		}), ""},
		{"with its options in another order", registered(func(m *core.DataSource) {
			m.GetCustomOptions().Configuration = []byte(`{"table": "trips",  "name": "trips", "query": ""}`)
		}), ""},
		{"the source behind a push source", tableSource("behind", "behind"), ""},
		{"another table", registered(func(m *core.DataSource) { m.Options = tableSource("trips", "secrets").GetOptions() }), "trips differs from the one that is registered"},
		{"a query", registered(func(m *core.DataSource) {
			m.GetCustomOptions().Configuration = []byte(`{"name": "trips", "query": "SELECT * FROM secrets", "table": ""}`)
		}), "differs"},
		{"another time column", registered(func(m *core.DataSource) { m.TimestampField = "created" }), "differs"},
		{"another mapping", registered(func(m *core.DataSource) { m.FieldMapping = nil }), "differs"},
		{"a file", &core.DataSource{Name: "trips", Type: core.DataSource_BATCH_FILE, Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: "/etc/passwd"}}}, "differs"},
		{"an unknown name", tableSource("secrets", "secrets"), "Data source secrets is not registered in project p"},
		{"nothing", &core.DataSource{}, "is not registered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			service, s := shelfService(t, nil)
			columns, err := service.Columns(t.Context(), c.sent)
			if c.says == "" {
				if err != nil || len(columns) != len(shelfColumns) {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || s.query.Source != nil {
				t.Errorf("%v; the store was asked for %v", err, s.query.Source)
			}
			service, s = shelfService(t, func(o *training.Options) { o.Unregistered = true })
			if _, err := service.Columns(t.Context(), c.sent); err != nil || !proto.Equal(s.query.Source, c.sent) {
				t.Errorf("with unregistered sources: %v", err)
			}
		})
	}
}

func rowsNamed(names ...string) array.RecordReader {
	var fields []arrow.Field
	for _, n := range names {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Int64})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range fields {
		b.Field(i).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil) //nolint:forcetypeassert // made above
	}
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		panic(fmt.Sprint("a reader of one batch: ", err))
	}
	return r
}

// declarer is a shelf that is told the types of what it writes.
type declarer struct {
	*shelf
	kinds map[string]types.ValueType_Enum
}

func (d *declarer) AppendAs(ctx context.Context, m *core.DataSource, rows array.RecordReader, kinds map[string]types.ValueType_Enum) (int64, error) {
	d.kinds = kinds
	return d.Append(ctx, m, rows)
}

// A store without types of its own is told those of the views, by the source's names.
func TestWrittenRowsHaveTheTypesOfTheViews(t *testing.T) {
	var d *declarer
	service, _ := shelfService(t, func(o *training.Options) {
		d = &declarer{shelf: o.Writer.(*shelf)} //nolint:forcetypeassert // shelfService made it
		o.Writer = d
	})
	if _, err := service.Append(t.Context(), "", "trips", rowsNamed("created", "driver", "Trips Today", "note", "ts")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]types.ValueType_Enum{"driver": types.ValueType_INT64, "Trips Today": types.ValueType_INT32} {
		if d.kinds[name] != want {
			t.Errorf("%s is %v", name, d.kinds[name])
		}
	}
}

func TestRowsAreWrittenToTheSourceOfAView(t *testing.T) {
	all := []string{"created", "driver", "Trips Today", "note", "ts"}
	for _, c := range []struct {
		name, view string
		columns    []string
		kind       fault.Kind
		says       string
	}{
		{"the columns of the source in any order", "trips", all, 0, ""},
		{
			"a column too few and one too many", "trips", append(slices.Clone(all[2:]), "trips"), fault.Invalid,
			"The input dataframe columns do not match the batch source columns. missing_expected_columns: ['created', 'driver'], extra_unexpected_columns: ['trips'].",
		},
		{"a column twice", "trips", append(slices.Clone(all), "ts"), fault.Invalid, "two columns ts"},
		{"an unknown view", "nope", all, fault.NotFound, "Feature view nope does not exist in project p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			service, s := shelfService(t, nil)
			n, err := service.Append(t.Context(), "", c.view, rowsNamed(c.columns...))
			if c.says == "" {
				if n != 3 || err != nil || s.written.GetName() != "trips" {
					t.Errorf("%d rows into %s, %v", n, s.written.GetName(), err)
				}
				return
			}
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) || s.written != nil {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
		})
	}
	service, _ := shelfService(t, func(o *training.Options) { o.Writer = nil })
	if _, err := service.Append(t.Context(), "", "trips", rowsNamed(all...)); fault.KindOf(err) != fault.Unimplemented {
		t.Errorf("a store that cannot write: %v", err)
	}
	if _, err := service.Save(t.Context(), "new", rowsNamed("a"), false); fault.KindOf(err) != fault.Unimplemented {
		t.Errorf("a store that cannot write: %v", err)
	}
}

func TestASavedDatasetIsNotReplacedUnasked(t *testing.T) {
	service, s := shelfService(t, nil)
	if n, err := service.Save(t.Context(), "new", rowsNamed("a"), false); n != 3 || err != nil || s.written.GetName() != "new" {
		t.Errorf("%d rows, %v", n, err)
	}
	_, err := service.Save(t.Context(), "taken", rowsNamed("a"), false)
	if f := fault.Of(err); f.Kind != fault.Conflict || f.Object.Kind != "saved dataset" || f.Text != "Saved dataset location taken already exists." {
		t.Errorf("%v", err)
	}
	if n, err := service.Save(t.Context(), "taken", rowsNamed("a"), true); n != 3 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
