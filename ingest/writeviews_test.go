package ingest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/value"
)

// kinds is a registry with a view of every kind that a push source feeds, and others.
func kinds() *core.Registry {
	feature := func(name string, t types.ValueType_Enum) *core.FeatureSpecV2 {
		return &core.FeatureSpecV2{Name: name, ValueType: t}
	}
	x := []*core.FeatureSpecV2{feature("x", types.ValueType_INT64)}
	entity := &core.Entity{Spec: &core.EntitySpecV2{Name: "driver", Project: "p", JoinKey: "driver_id", ValueType: types.ValueType_INT64}}
	batch := &core.DataSource{Name: "rows", Project: "p", Type: core.DataSource_BATCH_FILE, TimestampField: "ts", CreatedTimestampColumn: "made"}
	push := &core.DataSource{Name: "push", Project: "p", Type: core.DataSource_PUSH_SOURCE, BatchSource: batch}
	return &core.Registry{
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}}, Entities: []*core.Entity{entity}, DataSources: []*core.DataSource{batch, push},
		FeatureViews: []*core.FeatureView{
			{
				Spec: &core.FeatureViewSpec{Name: "batch", Project: "p", Entities: []string{"driver"}, Features: x, Online: true, BatchSource: batch, StreamSource: push},
				Meta: &core.FeatureViewMeta{CurrentVersionNumber: 2},
			},
			{Spec: &core.FeatureViewSpec{Name: "hidden", Project: "p", Entities: []string{"driver"}, Features: x, BatchSource: batch, StreamSource: push}},
			{Spec: &core.FeatureViewSpec{Name: "disabled", Project: "p", Entities: []string{"driver"}, Features: x, Online: true, Disabled: true, BatchSource: batch, StreamSource: push}},
			{Spec: &core.FeatureViewSpec{Name: "all", Project: "p", Features: x, Online: true, BatchSource: batch}},
			{Spec: &core.FeatureViewSpec{Name: "vectors", Project: "p", Features: []*core.FeatureSpecV2{
				{Name: "v", ValueType: types.ValueType_FLOAT_LIST, VectorIndex: true, VectorLength: 2},
			}, Online: true, BatchSource: batch}},
		},
		StreamFeatureViews: []*core.StreamFeatureView{
			{Spec: &core.StreamFeatureViewSpec{Name: "stream", Project: "p", Entities: []string{"driver"}, Features: x, Online: true, BatchSource: batch, StreamSource: push}},
		},
		LabelViews: []*core.LabelView{
			{Spec: &core.LabelViewSpec{Name: "labels", Project: "p", Entities: []string{"driver"}, Features: x, Online: true, Source: push, LabelerField: "x"}},
		},
		OnDemandFeatureViews: []*core.OnDemandFeatureView{
			{Spec: &core.OnDemandFeatureViewSpec{Name: "computed", Project: "p", Entities: []string{"driver"}, Features: x, WriteToOnlineStore: true}},
			{Spec: &core.OnDemandFeatureViewSpec{Name: "volatile", Project: "p", Entities: []string{"driver"}, Features: x}},
		},
	}
}

// writerOf is a Writer of a registry with tables for versions.
func writerOf(t testing.TB, reg *core.Registry, online stores.Writer, now time.Time) *ingest.Writer {
	t.Helper()
	s, err := registry.OpenSnapshot(reg, registry.Options{VersionedTables: true})
	if err != nil {
		t.Fatal(err)
	}
	return ingest.NewWriter(ingest.WriterOptions{
		Snapshots: func() *registry.Snapshot { return s }, Project: "p", KeyVersion: 3, Now: func() time.Time { return now },
		Online: func(context.Context) (stores.Writer, error) { return online, nil },
	})
}

// keyOf is the key of a driver, or, for 0, of a view without entities.
func keyOf(t *testing.T, driver int64) []byte {
	t.Helper()
	name, v := "driver_id", value.AppendInt64(nil, driver)
	if driver == 0 {
		name, v = registry.DummyKey, value.AppendString(nil, "")
	}
	key, err := value.NewKeyLayout(3, []string{name}).Append(nil, [][]byte{v})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// x reads the feature x of a row: its JSON, or "absent".
func x(t *testing.T, s stores.Reader, table stores.Table, driver int64) (text string, event time.Time) {
	t.Helper()
	rows, err := s.Read(t.Context(), []stores.Read{{Table: table, Features: stores.NewSelection("x"), Keys: [][]byte{keyOf(t, driver)}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	r := rows.Reads[0][0]
	if !r.Found {
		return "absent", time.Time{}
	}
	b, err := value.AppendJSON(nil, r.Values[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b), r.Event
}

// A push feeds every view of its source that is served online: also disabled ones, each in
// the table of its version.
func TestPushFeedsEveryKindOfView(t *testing.T) {
	online := &memory.Store{}
	w := writerOf(t, kinds(), online, time.Now())
	report, err := w.Push(t.Context(), ingest.PushRequest{Source: "push", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[7],"x":[1],"ts":["2024-01-01"],"made":[null]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range report.Views {
		switch {
		case v.NotOnline:
			got[v.View] = "not online"
		case v.Stored == 1:
			got[v.View] = "stored"
		}
	}
	want := map[string]string{"batch": "stored", "hidden": "not online", "disabled": "stored", "stream": "stored", "labels": "stored"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, table := range []stores.Table{{View: "batch", Version: 2}, {View: "disabled"}, {View: "stream"}, {View: "labels"}} {
		table.Project = "p"
		if got, _ := x(t, online, table, 7); got != "1" {
			t.Errorf("%v: %s", table, got)
		}
	}
	if got, _ := x(t, online, stores.Table{Project: "p", View: "batch"}, 7); got != "absent" {
		t.Errorf("the table of version 0 has %s", got)
	}
}

// Rows of a view without entities have the key that reads use; a column of keys is ignored.
func TestWriteOfAViewWithoutEntities(t *testing.T) {
	online := &memory.Store{}
	w := writerOf(t, kinds(), online, time.Now())
	for i, df := range []string{
		`{"x":[1],"event_timestamp":["2024-01-01T00:00:00.000001"],"created":[null]}`,
		`{"__dummy_id":[""],"x":[2],"event_timestamp":["2024-01-02"],"created":["NaT"]}`,
	} {
		if _, err := w.Write(t.Context(), ingest.WriteRequest{View: "all", Rows: ingest.Rows{Columns: frame(t, df)}}); err != nil {
			t.Fatal(err)
		}
		if got, _ := x(t, online, stores.Table{Project: "p", View: "all"}, 0); got != []string{"1", "2"}[i] {
			t.Errorf("%s: %s", df, got)
		}
	}
}

// Feast's SDK sends the features of an on-demand view that it has computed, with its keys
// twice, each beside its copy, and the time of the write.
func TestWriteOfAnOnDemandView(t *testing.T) {
	online := &memory.Store{}
	now := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	w := writerOf(t, kinds(), online, now)
	table := stores.Table{Project: "p", View: "computed"}
	write := func(view, df string) error {
		_, err := w.Write(t.Context(), ingest.WriteRequest{View: view, Rows: ingest.Rows{Columns: frame(t, df)}})
		return err
	}
	if err := write("computed", `{"driver_id":[1,1,2,2],"x":[10,20],"event_timestamp":["2024-04-01","2024-04-01"],"created":["2024-04-01","2024-04-01"]}`); err != nil {
		t.Fatal(err)
	}
	if got, at := x(t, online, table, 2); got != "20" || !at.Equal(time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s at %s", got, at)
	}
	if err := write("computed", `{"driver_id":[2],"x":[21]}`); err != nil {
		t.Fatal(err)
	}
	if got, at := x(t, online, table, 2); got != "21" || !at.Equal(now) {
		t.Errorf("without a time: %s at %s", got, at)
	}
	for df, want := range map[string]string{
		`{"driver_id":[1,2,2,1],"x":[1,2]}`: "feature view computed: column x has 2 rows, column driver_id has 4; all columns of a frame must have the same number",
		`{"driver_id":[1,2],"x":[1]}`:       "feature view computed: column x has 1 rows, column driver_id has 2; all columns of a frame must have the same number",
	} {
		if err := write("computed", df); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if err := write("computed", `{"driver_id":[1]}`); err == nil || !strings.Contains(err.Error(), "computed") { // it has no function that could compute x
		t.Error(err)
	}
	if err := write("volatile", `{"driver_id":[1],"x":[1]}`); err == nil || err.Error() != "OnDemandFeatureView volatile is not configured for write_to_online_store." {
		t.Error(err)
	}
	if err := write("batch", `{"driver_id":[1,1],"x":[1],"ts":["2024-01-01"],"made":[null]}`); err == nil {
		t.Error("keys twice for a batch view")
	}
}

// withFunction is a registry with an on-demand view that is written: x is computed of a
// and b.
func withFunction(mode, text string) *core.Registry {
	reg := kinds()
	feature := func(name string) *core.FeatureSpecV2 {
		return &core.FeatureSpecV2{Name: name, ValueType: types.ValueType_INT64}
	}
	reg.OnDemandFeatureViews[0].Spec = &core.OnDemandFeatureViewSpec{
		Name: "computed", Project: "p", Mode: mode, Entities: []string{"driver"}, WriteToOnlineStore: true,
		Features: []*core.FeatureSpecV2{feature("x")},
		Sources: map[string]*core.OnDemandSource{"r": {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
			Type: core.DataSource_REQUEST_SOURCE, Name: "r",
			Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: []*core.FeatureSpecV2{feature("a"), feature("b")}}},
		}}}},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "computed", BodyText: text, Mode: mode},
		}},
	}
	return reg
}

const (
	pandasSum = "def computed(inputs: pd.DataFrame) -> pd.DataFrame:\n    out = pd.DataFrame()\n    out[\"x\"] = inputs[\"a\"] + inputs[\"b\"]\n    return out\n"
	pythonSum = "def computed(inputs):\n    return {\"x\": [p + q for p, q in zip(inputs[\"a\"], inputs[\"b\"])]}\n"
)

// The function of an on-demand view runs when its inputs are written.
func TestWriteOfInputsOfAnOnDemandView(t *testing.T) {
	for mode, text := range map[string]string{"pandas": pandasSum, "python": pythonSum} {
		t.Run(mode, func(t *testing.T) {
			online := &memory.Store{}
			w := writerOf(t, withFunction(mode, text), online, time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC))
			table := stores.Table{Project: "p", View: "computed"}
			write := func(rows ingest.Rows) (ingest.ViewReport, error) {
				report, err := w.Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: rows})
				if len(report.Views) == 0 {
					return ingest.ViewReport{}, err
				}
				return report.Views[0], err
			}
			if v, err := write(ingest.Rows{Columns: frame(t, `{"driver_id":[1,2],"a":[10,9007199254740993],"b":1}`)}); err != nil || v.Stored != 2 {
				t.Fatal(v, err)
			}
			for driver, want := range map[int64]string{1: "11", 2: "9007199254740994"} {
				if got, _ := x(t, online, table, driver); got != want {
					t.Errorf("driver %d: %s, want %s", driver, got, want)
				}
			}
			if _, err := write(ingest.Rows{Untransformed: true, Columns: frame(t, `{"driver_id":[3],"a":[1],"b":[1],"x":[7]}`)}); err != nil {
				t.Fatal(err)
			}
			if got, _ := x(t, online, table, 3); got != "7" {
				t.Errorf("untransformed: %s", got)
			}
			if _, err := write(ingest.Rows{Columns: frame(t, `{"driver_id":[4,4],"x":[8]}`)}); err != nil { // as Feast's SDK sends what it has computed
				t.Fatal(err)
			}
			if got, _ := x(t, online, table, 4); got != "8" {
				t.Errorf("computed by the client: %s", got)
			}
			for df, want := range map[string]string{
				`{"driver_id":[1],"a":[1]}`:             "feature view computed: its function needs the columns b, which the rows lack; send them, or all features of the view",
				`{"driver_id":[1],"a":["x"],"b":[1]}`:   "nothing was written: feature view computed, column a, row 0: invalid literal for int() with base 10: 'x'",
				`{"driver_id":[1],"a":[1.5],"b":[1]}`:   "nothing was written: feature view computed, column a, row 0: 1.5 has a fraction, which a value of type INT64 cannot have",
				`{"driver_id":[1],"a":[1,2],"b":[1]}`:   "feature view computed: column a has 2 rows, column b has 1; all columns of a frame must have the same number",
				`{"driver_id":[null],"a":[1],"b":[1]}`:  "nothing was written: feature view computed, row 0 (driver_id=null): join key driver_id is null",
				`{"a":[1],"b":[1]}`:                     "feature view computed: the rows lack column driver_id",
				`{"driver_id":[1,2,3],"a":[1],"b":[1]}`: "feature view computed: column",
			} {
				if _, err := write(ingest.Rows{Columns: frame(t, df)}); err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%v\nwant %s", err, want)
				}
			}
			v, err := write(ingest.Rows{Partial: true, Columns: frame(t, `{"driver_id":[5,6,null],"a":[1,"x",1],"b":[2,2,2]}`)})
			if err == nil || v.Stored != 1 || len(v.Failed) != 2 || v.Failed[0].Row != 1 || v.Failed[1].Row != 2 {
				t.Errorf("%+v, %v", v, err)
			}
			if got, _ := x(t, online, table, 5); got != "3" {
				t.Errorf("beside bad rows: %s", got)
			}
		})
	}
	w := writerOf(t, withFunction("pandas", strings.Replace(pandasSum, `inputs["a"] + inputs["b"]`, `model.predict(inputs)`, 1)), &memory.Store{}, time.Now())
	_, err := w.Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[1],"a":[1],"b":[1]}`)}})
	if err == nil || !strings.Contains(err.Error(), "model") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a function that banquet cannot run: %v", err)
	}
}

// The function of a written view reads what it may read in a request: the join keys of its
// sources by the names that callers use, and those of other entities of the project.
func TestWriteOfAFunctionThatReadsJoinKeys(t *testing.T) {
	reg := withFunction("pandas", "")
	reg.Entities = append(reg.Entities, &core.Entity{Spec: &core.EntitySpecV2{Name: "shop", Project: "p", JoinKey: "shop_id", ValueType: types.ValueType_INT64}},
		&core.Entity{Spec: &core.EntitySpecV2{Name: "city", Project: "p", JoinKey: "city_id", ValueType: types.ValueType_INT64}})
	y := []*core.FeatureSpecV2{{Name: "y", ValueType: types.ValueType_INT64}}
	reg.FeatureViews[0].Spec.Entities, reg.FeatureViews[0].Spec.Features = []string{"driver", "shop"}, y
	spec := reg.OnDemandFeatureViews[0].Spec
	spec.Sources["batch"] = &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: &core.FeatureViewProjection{
		FeatureViewName: "batch", FeatureColumns: y, JoinKeyMap: map[string]string{"shop_id": "store"},
	}}}
	for column, want := range map[string]string{"driver_id": "11", "store": "12", "city_id": "13"} {
		online := &memory.Store{}
		spec.GetFeatureTransformation().GetUserDefinedFunction().BodyText = strings.Replace(pandasSum, `inputs["b"]`, `inputs["`+column+`"]`, 1)
		w := writerOf(t, reg, online, time.Now())
		_, err := w.Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[1],"store":[2],"city_id":[3],"a":[10],"y":[0]}`)}})
		if err != nil {
			t.Errorf("%s: %v", column, err)
			continue
		}
		if got, _ := x(t, online, stores.Table{Project: "p", View: "computed"}, 1); got != want {
			t.Errorf("%s: %s, want %s", column, got, want)
		}
	}
}

// As in Feast, which makes a DataFrame of the rows, nulls among numbers are NaN for a function
// of the mode python, which the result of an operation is, too: it is stored as null.
func TestWriteOfNullsToAFunction(t *testing.T) {
	online := &memory.Store{}
	w := writerOf(t, withFunction("python", pythonSum), online, time.Now())
	_, err := w.Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[1,2],"a":[10,null],"b":[1,2]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for driver, want := range map[int64]string{1: "11", 2: "null"} {
		if got, _ := x(t, online, stores.Table{Project: "p", View: "computed"}, driver); got != want {
			t.Errorf("driver %d: %s, want %s", driver, got, want)
		}
	}
}

// An input is stored as the feature of its name, as in Feast: as it is after the function of
// the mode pandas has run, or as the function of the mode python returns it.
func TestWriteOfAnInputThatIsAFeature(t *testing.T) {
	for text, want := range map[string]string{
		"def f(df):\n    out = pd.DataFrame()\n    out[\"x\"] = df[\"x\"] + 1\n    return out\n": "10",
		"def f(df):\n    df[\"x\"] = df[\"x\"] + 1\n    return df\n":                             "11",
		"def f(inputs):\n    return {\"x\": [v + 2 for v in inputs[\"x\"]]}\n":                   "12",
	} {
		mode := "pandas"
		if strings.Contains(text, "inputs") {
			mode = "python"
		}
		reg := withFunction(mode, text)
		schema := reg.OnDemandFeatureViews[0].Spec.Sources["r"].GetRequestDataSource().GetRequestDataOptions()
		schema.Schema = []*core.FeatureSpecV2{{Name: "x", ValueType: types.ValueType_INT64}}
		online := &memory.Store{}
		_, err := writerOf(t, reg, online, time.Now()).Write(t.Context(), ingest.WriteRequest{View: "computed", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[1],"x":[10]}`)}})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := x(t, online, stores.Table{Project: "p", View: "computed"}, 1); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestWritesThatAreRefused(t *testing.T) {
	w := writerOf(t, kinds(), &memory.Store{}, time.Now())
	for name, c := range map[string]struct {
		view, df string
		kind     fault.Kind
		want     string
	}{
		"no such view":       {"nope", `{}`, fault.NotFound, "Feature view nope does not exist in project p"},
		"not online":         {"hidden", `{"driver_id":[1],"x":[1],"ts":["2024-01-01"],"made":[null]}`, fault.Invalid, "FeatureView hidden is not configured to be served online."},
		"no columns":         {"batch", `{"y":[1]}`, fault.Invalid, "feature view batch: the rows lack columns driver_id, x, ts, made"},
		"a null key":         {"batch", `{"driver_id":[1,null],"x":[1,2],"ts":["2024-01-01","2024-01-01"],"made":[null,null]}`, fault.Invalid, "nothing was written: feature view batch, row 1 (driver_id=null): join key driver_id is null"},
		"a key with digits":  {"batch", `{"driver_id":[7.5],"x":[1],"ts":["2024-01-01"],"made":[null]}`, fault.Invalid, "nothing was written: feature view batch, column driver_id, row 0 (driver_id=7.5): 7.5 has a fraction, which a value of type INT64 cannot have"},
		"several bad cells":  {"batch", `{"driver_id":[1,2],"x":["a","b"],"ts":["2024-01-01","2024-01-01"],"made":[null,null]}`, fault.Invalid, "nothing was written: feature view batch, column x, row 0 (driver_id=1): invalid literal for int() with base 10: 'a'; feature view batch, column x, row 1 (driver_id=2): invalid literal for int() with base 10: 'b'"},
		"a far time":         {"batch", `{"driver_id":[1],"x":[1],"ts":["0001-01-01T00:00:00+01:00"],"made":[null]}`, fault.Invalid, "nothing was written: feature view batch, column ts, row 0 (driver_id=1): "},
		"a bad created time": {"batch", `{"driver_id":[1],"x":[1],"ts":["2024-01-01"],"made":["soon"]}`, fault.Invalid, "nothing was written: feature view batch, column made, row 0 (driver_id=1): \"soon\" is not a time"},
		"only scalars":       {"batch", `{"driver_id":1,"x":1,"ts":"2024-01-01","made":null}`, fault.Invalid, "feature view batch: each column is a single value; send at least one of them as a list"},
		"a long vector":      {"vectors", `{"v":[[1,2],[1,2,3]],"ts":["2024-01-01","2024-01-01"],"made":[null,null]}`, fault.Invalid, "nothing was written: Row 1: Vector length 3 does not match expected 2 for feature 'v' in feature view 'vectors'."},
		"no vector":          {"vectors", `{"v":[1],"ts":["2024-01-01"],"made":[null]}`, fault.Invalid, "nothing was written: feature view vectors, column v, row 0: 1 is not a value of type FLOAT_LIST"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Write(t.Context(), ingest.WriteRequest{View: c.view, Rows: ingest.Rows{Columns: frame(t, c.df)}})
			if err == nil || fault.KindOf(err) != c.kind || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := w.Push(t.Context(), ingest.PushRequest{Source: "rows"}); fault.KindOf(err) != fault.NotFound || err.Error() != "Unable to find push source 'rows'." {
		t.Errorf("a batch source: %v", err)
	}
	twice := append(frame(t, `{"x":[1]}`), frame(t, `{"driver_id":[1],"x":[1],"ts":["2024-01-01"],"made":[null]}`)...)
	if _, err := w.Write(t.Context(), ingest.WriteRequest{View: "batch", Rows: ingest.Rows{Columns: twice}}); err == nil || err.Error() != "feature view batch: the rows have two columns x; send each column once" {
		t.Error(err)
	}
}

// With Partial, rows that cannot be converted fail alone.
func TestPartialWrite(t *testing.T) {
	online := &memory.Store{}
	w := writerOf(t, kinds(), online, time.Now())
	report, err := w.Write(t.Context(), ingest.WriteRequest{View: "batch", Rows: ingest.Rows{
		Partial: true, First: 100, Columns: frame(t, `{"driver_id":[1,2,3,4],"x":[1,"b",3,4],"ts":["2024-01-02","2024-01-01",null,"2024-01-01"],"made":null}`),
	}})
	v := report.Views[0]
	if v.Stored != 2 || len(v.Failed) != 2 || v.Failed[0].Row != 1 || v.Failed[1].Row != 2 || v.Failed[0].Name != "row 101 (driver_id=2)" {
		t.Errorf("%+v", v)
	}
	want := "feature view batch: 2 of 4 rows are not stored: column x, row 101 (driver_id=2): invalid literal for int() with base 10: 'b'; row 102 (driver_id=3): column ts has no event time"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// Older rows are kept out, whether the newer one is stored already or comes with them.
func TestNewerRowsStay(t *testing.T) {
	online := &memory.Store{}
	w := writerOf(t, kinds(), online, time.Now())
	write := func(df string) ingest.ViewReport {
		t.Helper()
		report, err := w.Write(t.Context(), ingest.WriteRequest{View: "batch", Rows: ingest.Rows{Columns: frame(t, df)}})
		if err != nil {
			t.Fatal(err)
		}
		return report.Views[0]
	}
	if v := write(`{"driver_id":[1,1,1],"x":[1,2,3],"ts":["2024-01-02","2024-01-03T01:00:00+01:00","2024-01-03T00:00:00Z"],"made":null}`); v.Stored != 2 || !cmp.Equal(v.Older, []int{0}) {
		t.Errorf("%+v", v)
	}
	table := stores.Table{Project: "p", View: "batch", Version: 2}
	if got, _ := x(t, online, table, 1); got != "3" {
		t.Errorf("of equal times the last one counts: %s", got)
	}
	if v := write(`{"driver_id":[1,2],"x":[9,9],"ts":["2020-01-01","2020-01-01"],"made":null}`); v.Stored != 1 || !cmp.Equal(v.Older, []int{0}) {
		t.Errorf("%+v", v)
	}
	if got, _ := x(t, online, table, 1); got != "3" {
		t.Errorf("an older row has replaced it: %s", got)
	}
	if v := write(`{"driver_id":[1],"x":[null],"ts":["2030-01-01"],"made":null}`); !v.Empty || v.Stored != 0 {
		t.Errorf("rows without features: %+v", v)
	}
}

func TestLimitsOfWrites(t *testing.T) {
	s, err := registry.OpenSnapshot(kinds(), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		limits ingest.WriteLimits
		want   string
	}{
		"rows":  {ingest.WriteLimits{Rows: 1}, "the write has 2 rows, which is over the limit of 1; send fewer rows at once, or raise banquet.limits.rows"},
		"cells": {ingest.WriteLimits{Cells: 7}, "the write has 8 cells, which is over the limit of 7; send fewer rows at once, or raise banquet.limits.cells"},
		"none":  {ingest.WriteLimits{Rows: 2, Cells: 8}, ""},
	} {
		w := ingest.NewWriter(ingest.WriterOptions{
			Snapshots: func() *registry.Snapshot { return s }, Project: "p", KeyVersion: 3, Limits: c.limits,
			Online: func(context.Context) (stores.Writer, error) { return &memory.Store{}, nil },
		})
		_, err := w.Write(t.Context(), ingest.WriteRequest{View: "batch", Rows: ingest.Rows{Columns: frame(t, `{"driver_id":[1,2],"x":[1,2],"ts":["2024-01-01","2024-01-01"],"made":null}`)}})
		if c.want == "" && err != nil || c.want != "" && (fault.KindOf(err) != fault.TooLarge || err.Error() != c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
