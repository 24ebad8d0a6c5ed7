package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// fakeColumns are the columns of sources by their names; it counts what is asked.
type fakeColumns struct {
	columns map[string][]offline.Column
	asked   int
}

func (f *fakeColumns) Columns(_ context.Context, source *core.DataSource) ([]offline.Column, error) {
	f.asked++
	c, ok := f.columns[source.GetName()]
	if !ok {
		return nil, fmt.Errorf("no source %s", source.GetName())
	}
	return c, nil
}

// columns reads "name:TYPE …"; a type in lower case is one without a value type.
func columns(text string) []offline.Column {
	var list []offline.Column
	for part := range strings.FieldsSeq(text) {
		name, kind, _ := strings.Cut(part, ":")
		c := offline.Column{Name: name, Type: types.ValueType_Enum(types.ValueType_Enum_value[kind])}
		if kind == strings.ToLower(kind) {
			c.Unmapped = kind
		}
		list = append(list, c)
	}
	return list
}

func fileSource(name string) *core.DataSource {
	return &core.DataSource{Name: name, Type: core.DataSource_BATCH_FILE}
}

func names(specs []*core.FeatureSpecV2) string {
	var list []string
	for _, s := range specs {
		list = append(list, s.GetName()+":"+s.GetValueType().String())
	}
	return strings.Join(list, " ")
}

// The one timestamp column of a file is its event time wherever the source is
// embedded, and no feature.
func TestEventTimesReachAllCopiesOfASource(t *testing.T) {
	push := func() *core.DataSource {
		return &core.DataSource{Name: "push", Type: core.DataSource_PUSH_SOURCE, BatchSource: fileSource("one")}
	}
	view := &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "v", Entities: []string{"e"}, BatchSource: fileSource("one"), StreamSource: push()}}
	stream := &core.StreamFeatureView{Spec: &core.StreamFeatureViewSpec{
		Name: "s", Entities: []string{"e"}, BatchSource: fileSource("one"), StreamSource: push(), Features: []*core.FeatureSpecV2{{Name: "x", ValueType: 5}},
	}}
	projection := &core.FeatureViewProjection{FeatureViewName: "v", BatchSource: fileSource("one")}
	odfv := &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
		Name: "od", Features: []*core.FeatureSpecV2{{Name: "y", ValueType: 5}},
		Sources: map[string]*core.OnDemandSource{"v": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: projection}}},
	}}
	service := &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "fs", Features: []*core.FeatureViewProjection{proto.CloneOf(projection)}}}
	objects := &registry.Objects{
		Entities:    []*core.Entity{{Spec: &core.EntitySpecV2{Name: "e", JoinKey: "k", ValueType: types.ValueType_INT64}}},
		DataSources: []*core.DataSource{fileSource("one"), push()}, FeatureViews: []*core.FeatureView{view}, StreamFeatureViews: []*core.StreamFeatureView{stream},
		OnDemandFeatureViews: []*core.OnDemandFeatureView{odfv}, FeatureServices: []*core.FeatureService{service},
		LabelViews: []*core.LabelView{{Spec: &core.LabelViewSpec{Name: "l", Source: push()}}},
	}
	source := &fakeColumns{columns: map[string][]offline.Column{"one": columns("k:INT64 ts:UNIX_TIMESTAMP x:DOUBLE")}}
	if err := apply.Infer(t.Context(), objects, source); err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]*core.DataSource{
		"source": objects.DataSources[0], "push source": objects.DataSources[1], "its batch source": objects.DataSources[1].GetBatchSource(),
		"view": view.GetSpec().GetBatchSource(), "its stream": view.GetSpec().GetStreamSource(), "the stream's batch": view.GetSpec().GetStreamSource().GetBatchSource(),
		"stream view": stream.GetSpec().GetBatchSource(), "label view": objects.LabelViews[0].GetSpec().GetSource(),
		"on-demand view": projection.GetBatchSource(), "service": service.GetSpec().GetFeatures()[0].GetBatchSource(),
	} {
		if s.GetTimestampField() != "ts" {
			t.Errorf("%s has event time %q", what, s.GetTimestampField())
		}
	}
	if got := names(view.GetSpec().GetFeatures()); got != "x:DOUBLE" {
		t.Errorf("features are %s", got)
	}
	if got := names(stream.GetSpec().GetFeatures()); got != "k:INT64 x:DOUBLE" {
		t.Errorf("features of the stream view are %s", got)
	}
	if got := names(projection.GetFeatureColumns()) + ", " + names(service.GetSpec().GetFeatures()[0].GetFeatureColumns()); got != "x:DOUBLE, x:DOUBLE" {
		t.Errorf("projections have %s", got)
	}
	if source.asked != 1 {
		t.Errorf("the source was asked %d times", source.asked)
	}
}

// A type that Feast has no value type for is refused only where it is wanted.
func TestColumnsWithoutAValueType(t *testing.T) {
	source := &fakeColumns{columns: map[string][]offline.Column{"one": columns("k:INT64 ts:UNIX_TIMESTAMP day:date32 x:DOUBLE")}}
	view := func(features ...*core.FeatureSpecV2) *registry.Objects {
		return &registry.Objects{FeatureViews: []*core.FeatureView{{Spec: &core.FeatureViewSpec{Name: "v", BatchSource: fileSource("one"), Features: features}}}}
	}
	want := "feature view v: column day of data source one has type date32, for which Feast has no value type; list the features in the view's schema, and give its entities a value_type"
	if err := apply.Infer(t.Context(), view(), source); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := apply.Infer(t.Context(), view(&core.FeatureSpecV2{Name: "x", ValueType: 5}), source); err != nil {
		t.Error(err)
	}
}

// If the event time cannot be inferred, the error names the source and the remedy.
func TestEventTimesThatCannotBeInferred(t *testing.T) {
	source := &fakeColumns{columns: map[string][]offline.Column{"none": columns("k:INT64 day:date32"), "two": columns("a:UNIX_TIMESTAMP b:UNIX_TIMESTAMP")}}
	for want, s := range map[string]*core.DataSource{
		"data source none: its event time is unknown: it has no timestamp column; set timestamp_field":          fileSource("none"),
		"data source two: its event time is unknown: it has the timestamp columns a and b; set timestamp_field": {Name: "two", Type: core.DataSource_BATCH_FILE, CreatedTimestampColumn: "b"},
		"data source pg: it has no timestamp_field, which is inferred for files only; set timestamp_field":      {Name: "pg", Type: core.DataSource_CUSTOM_SOURCE},
		"data source kinesis: it has no timestamp_field, which is inferred for files only; set timestamp_field": {Name: "kinesis", Type: core.DataSource_STREAM_KINESIS},
		"data source inner: it has no timestamp_field, which is inferred for files only; set timestamp_field":   {Name: "p", Type: core.DataSource_PUSH_SOURCE, BatchSource: &core.DataSource{Name: "inner", Type: core.DataSource_CUSTOM_SOURCE}},
		"no source missing": fileSource("missing"),
	} {
		err := apply.Infer(t.Context(), &registry.Objects{DataSources: []*core.DataSource{s}}, source)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Entity columns of an on-demand view are those of its sources as soon as one
// entity does not say its type; chosen features of an inferred view come in the
// view's order.
func TestEntityColumnsAndChosenFeatures(t *testing.T) {
	timed := func() *core.DataSource {
		return &core.DataSource{Name: "src", Type: core.DataSource_BATCH_FILE, TimestampField: "ts"}
	}
	entities := []*core.Entity{
		{Spec: &core.EntitySpecV2{Name: "typed", JoinKey: "a", ValueType: types.ValueType_STRING}}, {Spec: &core.EntitySpecV2{Name: "untyped", JoinKey: "b"}},
	}
	view := &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "v", Entities: []string{"typed", "untyped"}, BatchSource: timed()}}
	odfv := &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
		Name: "od", Entities: []string{"typed", "untyped"}, Features: []*core.FeatureSpecV2{{Name: "y", ValueType: 5}},
		Sources: map[string]*core.OnDemandSource{"v": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: &core.FeatureViewProjection{FeatureViewName: "v", BatchSource: timed()}}}},
	}}
	service := &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "fs", Features: []*core.FeatureViewProjection{
		{FeatureViewName: "v", FeatureColumns: []*core.FeatureSpecV2{{Name: "y__"}, {Name: "x"}}},
	}}}
	objects := &registry.Objects{Entities: entities, FeatureViews: []*core.FeatureView{view}, OnDemandFeatureViews: []*core.OnDemandFeatureView{odfv}, FeatureServices: []*core.FeatureService{service}}
	source := &fakeColumns{columns: map[string][]offline.Column{"src": columns("b:INT32 ts:UNIX_TIMESTAMP a:INT64 x:STRUCT __z:INT64 y__:JSON")}}
	if err := apply.Infer(t.Context(), objects, source); err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]string{
		"a:STRING b:INT32": names(view.GetSpec().GetEntityColumns()), "b:INT32 a:INT64": names(odfv.GetSpec().GetEntityColumns()),
		"x:STRUCT y__:JSON": names(service.GetSpec().GetFeatures()[0].GetFeatureColumns()),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if tag := view.GetSpec().GetFeatures()[0].GetTags()["feast:struct_schema"]; tag != `{"_value": "STRING"}` {
		t.Errorf("the struct has the tag %q", tag)
	}
	service.Spec.Features[0].FeatureColumns = []*core.FeatureSpecV2{{Name: "nope"}}
	view.Spec.Features, view.Spec.EntityColumns = nil, nil
	if err := apply.Infer(t.Context(), objects, source); err == nil || err.Error() != "feature service fs: feature view v has no feature nope" {
		t.Errorf("a feature that is not there: %v", err)
	}
	odfv.Spec.Features = nil
	if err := apply.Infer(t.Context(), objects, source); err == nil || !strings.Contains(err.Error(), "on-demand feature view od lists no features") {
		t.Errorf("an on-demand view without features: %v", err)
	}
}

// The tables of SQLite stand in the registry, where Feast's plan looks for them;
// those of other projects stay.
func TestTablesOfSQLiteAreListed(t *testing.T) {
	storage := &memoryStorage{reg: &core.Registry{Infra: &core.Infra{}}}
	for _, name := range []string{"other_v", "p_gone", "p_eu_v"} {
		storage.reg.Infra.InfraObjects = append(storage.reg.Infra.InfraObjects,
			&core.InfraObject{InfraObject: &core.InfraObject_SqliteTable{SqliteTable: &core.SqliteTable{Path: "o.db", Name: name}}})
	}
	eu := viewNamed("v")
	eu.Spec.Project = "p_eu"
	storage.reg.FeatureViews = []*core.FeatureView{eu}
	objects := &registry.Objects{FeatureViews: []*core.FeatureView{viewNamed("v")}}
	if _, err := apply.New(apply.Options{Storage: storage, Project: "p", SQLite: "/o.db"}).Apply(t.Context(), objects, apply.Observer{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range storage.reg.GetInfra().GetInfraObjects() {
		got = append(got, o.GetSqliteTable().GetPath()+" "+o.GetSqliteTable().GetName())
	}
	if s := strings.Join(got, ", "); s != "o.db other_v, o.db p_eu_v, /o.db p_v" {
		t.Errorf("tables are %s", s)
	}
}

// memoryStorage is a registry in memory.
type memoryStorage struct{ reg *core.Registry }

func (m *memoryStorage) Load(context.Context) (*core.Registry, registry.Revision, error) {
	return proto.CloneOf(m.reg), "1", nil
}

func (m *memoryStorage) Changed(context.Context, registry.Revision) (bool, error) { return false, nil }

func (m *memoryStorage) Writable(context.Context) error { return nil }

func (m *memoryStorage) Save(_ context.Context, next *core.Registry, _ registry.Revision) (registry.Revision, error) {
	m.reg = proto.CloneOf(next)
	return "2", nil
}
