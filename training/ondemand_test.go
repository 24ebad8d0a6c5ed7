package training_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/training"
)

// source is a feature view that a function reads.
func source(name string, columns ...*core.FeatureSpecV2) *core.OnDemandSource {
	return &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: &core.FeatureViewProjection{FeatureViewName: name, FeatureColumns: columns}}}
}

// asked is request data that a function reads.
func asked(columns ...*core.FeatureSpecV2) *core.OnDemandSource {
	return &core.OnDemandSource{Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
		Name: "asked", Type: core.DataSource_REQUEST_SOURCE,
		Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: columns}},
	}}}
}

var (
	fare  = feature("fare", types.ValueType_DOUBLE)
	trips = feature("trips", types.ValueType_INT64)
	sky   = feature("sky", types.ValueType_STRING)
)

// computedView is an on-demand view. The text is the body of its function.
func computedView(name, mode, body string, sources []*core.OnDemandSource, features ...*core.FeatureSpecV2) *core.OnDemandFeatureView {
	spec := &core.OnDemandFeatureViewSpec{
		Name: name, Project: "taxi", Features: features, Mode: mode, Sources: map[string]*core.OnDemandSource{},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{UserDefinedFunction: &core.UserDefinedFunctionV2{
			Name: name, Mode: mode, BodyText: "def " + name + "(inputs):\n    " + strings.ReplaceAll(body, "\n", "\n    ") + "\n",
		}}},
	}
	for i, s := range sources {
		spec.Sources[fmt.Sprint(i)] = s
	}
	return &core.OnDemandFeatureView{Spec: spec, Meta: &core.OnDemandFeatureViewMeta{}}
}

func withComputed(views ...*core.OnDemandFeatureView) func(*core.Registry) {
	return func(r *core.Registry) { r.OnDemandFeatureViews = views }
}

const texts = "import pandas as pd\nout = pd.DataFrame()\nout[\"seen\"] = inputs[\"trips\"].astype(str)\nreturn out"

func seen() *core.OnDemandFeatureView {
	return computedView("seen", "pandas", texts, []*core.OnDemandSource{source("trips", trips)}, feature("seen", types.ValueType_STRING))
}

// manyDrivers are entity rows of driver 1, the last of another.
func manyDrivers(t *testing.T, n int, last int) training.Request {
	t.Helper()
	ids, times := strings.Repeat("1,", n-1)+fmt.Sprint(last), strings.Repeat(`"2024-03-01 01:00:00",`, n-1)+`"2024-03-01 01:00:00"`
	return training.Request{Rows: tableOf(t, cells{"driver_id", whole, "[" + ids + "]"}, cells{"event_timestamp", zoned, "[" + times + "]"})}
}

// A null in the last batch of a table makes the integers of the first floats, as in
// pandas, which sees the whole table.
func TestANullAnywhereInAColumnCounts(t *testing.T) {
	for _, c := range []struct {
		last        int
		first, ends string
	}{{1, "text 7", "text 7"}, {99, "text 7.0", "text nan"}} {
		for _, memory := range []int64{0, 1} {
			opt := taxiOptions(t, withComputed(seen()))
			opt.Spool.Memory = memory
			req := manyDrivers(t, 9000, c.last)
			req.Features = []string{"seen:seen"}
			got, set := lines(t, opt, req)
			if len(got) != 9001 || got[0] != "driver_id:int64 event_timestamp:timestamp[us] trips:int64 seen:utf8" {
				t.Fatalf("%d rows, %s", len(got), got[0])
			}
			if got[1] != "1|2024-03-01T01:00:00Z|7|"+c.first || !strings.HasSuffix(got[9000], "|"+c.ends) {
				t.Errorf("first %q, last %q", got[1], got[9000])
			}
			if strings.Join(set.Features, " ") != "trips seen" {
				t.Errorf("features %q", set.Features)
			}
		}
	}
}

func TestAFunctionOfAllRowsSeesAllBatches(t *testing.T) {
	share := computedView("share", "pandas", "import pandas as pd\nreturn pd.DataFrame({\"share\": inputs[\"trips\"] / inputs[\"trips\"].sum()})",
		[]*core.OnDemandSource{source("trips", trips)}, feature("share", types.ValueType_DOUBLE))
	opt := taxiOptions(t, withComputed(share, seen()))
	req := manyDrivers(t, 9000, 3)
	req.Features = []string{"share:share", "seen:seen"}
	got, _ := lines(t, opt, req)
	wantLines(t, []string{got[0], got[1], got[8500], got[9000]}, "driver_id:int64 event_timestamp:timestamp[us] trips:int64 share:float64 seen:utf8",
		"1|2024-03-01T01:00:00Z|7|0.00011110758388622583|text 7", "1|2024-03-01T01:00:00Z|7|0.00011110758388622583|text 7",
		"3|2024-03-01T01:00:00Z|9|0.00014285260785371892|text 9")

	opt.WholeCells = 9000
	req = manyDrivers(t, 9000, 3)
	req.Features = []string{"share:share"}
	set, err := training.New(opt).Historical(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if set.Next() || fault.KindOf(set.Err()) != fault.TooLarge || !strings.Contains(set.Err().Error(), "on-demand feature view share computes with all rows at once, and there are 9000; at most 4500 are possible") {
		t.Errorf("%v", set.Err())
	}
}

func TestInputsOfFunctions(t *testing.T) {
	due := computedView("due", "python", "return {\"due\": [f * t for f, t in zip(inputs[\"fare\"], inputs[\"tip\"])], \"who\": [str(d) for d in inputs[\"driver_id\"]]}",
		[]*core.OnDemandSource{source("fares", fare), asked(feature("tip", types.ValueType_DOUBLE))},
		feature("due", types.ValueType_DOUBLE), feature("who", types.ValueType_STRING))
	only := computedView("only", "pandas", "import pandas as pd\nreturn pd.DataFrame({\"twice\": inputs[\"tip\"] * 2})",
		[]*core.OnDemandSource{asked(feature("tip", types.ValueType_DOUBLE))}, feature("twice", types.ValueType_DOUBLE))
	wet := computedView("wet", "pandas", "import pandas as pd\nreturn pd.DataFrame({\"sky\": inputs[\"sky\"] + \"!\", \"note\": inputs[\"note\"].str.upper()})",
		[]*core.OnDemandSource{source("weather", sky)}, feature("sky", types.ValueType_STRING), feature("note", types.ValueType_STRING))
	change := func(r *core.Registry) {
		r.OnDemandFeatureViews = []*core.OnDemandFeatureView{only, due, wet, seen()}
		r.FeatureServices = append(r.FeatureServices, &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "both", Project: "taxi", Features: []*core.FeatureViewProjection{
			{FeatureViewName: "due", FeatureViewNameAlias: "mine", FeatureColumns: due.Spec.Features[:1]},
			{FeatureViewName: "trips", FeatureColumns: []*core.FeatureSpecV2{trips}},
			{FeatureViewName: "only", FeatureColumns: only.Spec.Features},
		}}})
	}
	driver, at, tip := cells{"driver_id", whole, `[1]`}, cells{"event_timestamp", zoned, `["2024-03-01 01:00:00"]`}, cells{"tip", arrow.PrimitiveTypes.Int32, `[2]`}
	note := cells{"note", text, `["dry"]`}
	for _, c := range []struct {
		name    string
		req     training.Request
		columns []cells
		want    []string
	}{
		{
			"stored, request data and a key",
			training.Request{Features: []string{"due:who", "due:due"}},
			[]cells{driver, at, tip},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] tip:int32 fare:float64 due:float64 who:utf8", "1|2024-03-01T01:00:00Z|2|11.5|23|text 1"},
		},
		{
			"one of its features, beside stored ones",
			training.Request{Features: []string{"due:due", "fares:label", "fares:fare"}},
			[]cells{driver, at, tip},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] tip:int32 label:utf8 fare:float64 due:float64", "1|2024-03-01T01:00:00Z|2|text second|11.5|23"},
		},
		{
			"full names",
			training.Request{Features: []string{"due:due"}, FullNames: true},
			[]cells{driver, at, tip},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] tip:int32 fares__fare:float64 due__due:float64", "1|2024-03-01T01:00:00Z|2|11.5|23"},
		},
		{
			"a service, with an alias",
			training.Request{Service: "both", FullNames: true},
			[]cells{driver, at, tip},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] tip:int32 trips__trips:int64 fares__fare:float64 only__twice:float64 mine__due:float64", "1|2024-03-01T01:00:00Z|2|7|11.5|4|23"},
		},
		{
			"request data alone",
			training.Request{Features: []string{"only:twice"}},
			[]cells{at, tip},
			[]string{"event_timestamp:timestamp[us] tip:int32 twice:float64", "2024-03-01T01:00:00Z|2|4"},
		},
		{
			"an input and an output of one name, and a column of the entity rows",
			training.Request{Features: []string{"wet:sky"}},
			[]cells{at, note},
			[]string{"event_timestamp:timestamp[us] note:utf8 sky:utf8", "2024-03-01T01:00:00Z|text dry|text rain!"},
		},
		{
			"an input named like a column of the entity rows",
			training.Request{Features: []string{"seen:seen"}},
			[]cells{driver, at, {"trips", text, `["mine"]`}},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] trips:utf8 seen:utf8", "1|2024-03-01T01:00:00Z|text mine|text 7"},
		},
		{
			"no rows",
			training.Request{Features: []string{"due:due"}},
			[]cells{{"driver_id", whole, `[]`}, {"event_timestamp", zoned, `[]`}, {"tip", whole, `[]`}},
			[]string{"driver_id:int64 event_timestamp:timestamp[us] tip:int64 fare:float64 due:float64"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.req.Rows = tableOf(t, c.columns...)
			got, set := lines(t, taxiOptions(t, change), c.req)
			wantLines(t, got, c.want...)
			if n := len(strings.Fields(got[0])) - len(c.columns); n != len(set.Features) {
				t.Errorf("features %q", set.Features)
			}
		})
	}
}

// As in Feast, the source of a function may be a view that serves no features itself.
func TestInputsOfAViewThatIsNotServed(t *testing.T) {
	for name, change := range map[string]func(*core.FeatureView){
		"disabled":    func(v *core.FeatureView) { v.Spec.Disabled = true },
		"not written": func(v *core.FeatureView) { v.Meta.State = core.FeatureViewState_CREATED },
	} {
		opt := taxiOptions(t, func(r *core.Registry) {
			withComputed(seen())(r)
			for _, v := range r.FeatureViews {
				if v.Spec.Name == "trips" {
					change(v)
				}
			}
		})
		req := manyDrivers(t, 1, 1)
		req.Features = []string{"seen:seen"}
		if got, _ := lines(t, opt, req); len(got) != 2 || got[1] != "1|2024-03-01T01:00:00Z|7|text 7" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Two sources may be one view by different join keys; each gives its own features. Those of
// the second are not in the set, where they would look like features of the first.
func TestInputsOfOneViewByTwoKeys(t *testing.T) {
	other := source("fares", feature("label", types.ValueType_STRING))
	other.GetFeatureViewProjection().JoinKeyMap = map[string]string{"driver_id": "rival"}
	opt := taxiOptions(t, withComputed(computedView("both", "python", "return {\"x\": [str(f) + str(l) for f, l in zip(inputs[\"fare\"], inputs[\"label\"])]}",
		[]*core.OnDemandSource{source("fares", fare), other}, feature("x", types.ValueType_STRING))))
	req := training.Request{Features: []string{"both:x"}, FullNames: true}
	for rival, want := range map[string]string{"[1]": "text 11.5second", "[2]": "text 11.5None"} {
		req.Rows = tableOf(t, cells{"driver_id", whole, "[1]"}, cells{"rival", whole, rival}, cells{"event_timestamp", zoned, `["2024-03-01 01:00:00"]`})
		if got, _ := lines(t, opt, req); len(got) != 2 || !strings.HasSuffix(got[0], "] fares__fare:float64 both__x:utf8") || !strings.HasSuffix(got[1], "|11.5|"+want) {
			t.Errorf("%s: %q, want %s", rival, got, want)
		}
	}
}

func TestOnDemandFeaturesOfARange(t *testing.T) {
	total := computedView("total", "pandas", "import pandas as pd\nreturn pd.DataFrame({\"total\": inputs[\"fare\"] * inputs[\"trips\"]})",
		[]*core.OnDemandSource{source("fares", fare), source("trips", trips)}, feature("total", types.ValueType_DOUBLE))
	day := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	req := training.Request{Start: day, End: day.Add(24 * time.Hour), Features: []string{"seen:seen"}}
	opt := taxiOptions(t, withComputed(total, seen()))
	got, set := lines(t, opt, req)
	wantLines(t, got, "event_timestamp:timestamp[us] driver_id:int64 trips:int64 seen:utf8", "2024-03-01T00:30:00Z|1|7|text 7")
	if set.Entities != -1 {
		t.Errorf("%d entity rows", set.Entities)
	}
	req.Features = []string{"total:total"}
	got, _ = lines(t, opt, req)
	wantLines(t, got, "event_timestamp:timestamp[us] driver_id:int64 fare:float64 trips:int64 total:float64",
		"2024-03-01T00:00:00Z|1|10.5|null|null", "2024-03-01T00:00:00Z|2|null|null|null",
		"2024-03-01T00:30:00Z|1|10.5|7|73.5", "2024-03-01T01:00:00Z|1|11.5|7|80.5")
}

func TestCoverageOfOnDemandFeatures(t *testing.T) {
	set, err := training.New(taxiOptions(t, withComputed(computedView("up", "pandas", "import pandas as pd\nreturn pd.DataFrame({\"trips\": inputs[\"trips\"] + 1})",
		[]*core.OnDemandSource{source("trips", trips)}, trips)))).
		Historical(t.Context(), training.Request{Features: []string{"up:trips", "fares:label"}, Rows: tableOf(t, cells{"driver_id", whole, `[1, 99]`}, cells{"event_timestamp", zoned, `["2024-03-01 01:00:00", "2024-03-01 01:00:00"]`})})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	coverage := set.Count()
	for set.Next() {
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	if got, want := fmt.Sprint(coverage.Rows, coverage.Features, coverage.Views), "2 [{label 1} {trips 1}] [{fares 1} {up 1}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOnDemandRequestsThatAreRefused(t *testing.T) {
	pandas := func(name, expression string, sources ...*core.OnDemandSource) *core.OnDemandFeatureView {
		return computedView(name, "pandas", "import pandas as pd\nreturn pd.DataFrame({\"x\": "+expression+"})", sources, feature("x", types.ValueType_DOUBLE))
	}
	change := withComputed(
		pandas("odd", "inputs[\"fare\"].rolling(3).mean()", source("fares", fare)),
		pandas("lost", "inputs[\"nope\"]", source("fares", fare)),
		pandas("chain", "inputs[\"x\"]", source("odd", feature("x", types.ValueType_DOUBLE))),
		pandas("gone", "inputs[\"y\"]", source("vanished", feature("y", types.ValueType_DOUBLE))),
		pandas("tip", "inputs[\"tip\"]", asked(feature("tip", types.ValueType_DOUBLE))),
		pandas("mixed", "inputs[\"tip\"] + inputs[\"fare\"]", source("fares", fare), asked(feature("tip", types.ValueType_DOUBLE))),
	)
	day := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		feature string
		span    bool
		kind    fault.Kind
		want    string
	}{
		{"odd:x", false, fault.Unimplemented, `on-demand feature view "odd" cannot be computed: line 3 of its function`},
		{"lost:x", false, fault.Invalid, `no source of the view has the column "nope"`},
		{"chain:x", false, fault.Unimplemented, `on-demand feature view "chain" reads features of on-demand feature view "odd", which are computed, too; only stored features can be read`},
		{"gone:x", false, fault.NotFound, "vanished"},
		{"tip:x", false, fault.Invalid, "Feature tip not found in the entity dataframe, but required by feature view tip"},
		{"tip:x", true, fault.Invalid, "a range of time needs stored features, and on-demand feature view tip reads none; give entity rows"},
		{"mixed:x", true, fault.Invalid, "Feature tip not found in the entity dataframe, but required by feature view mixed"},
	} {
		opt := taxiOptions(t, change)
		opt.Source = untouched{opt.Source, t}
		req := training.Request{Features: []string{c.feature}}
		if c.span {
			req.Start = day
		} else {
			req.Rows = twoDrivers(t)
		}
		_, err := training.New(opt).Historical(t.Context(), req)
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v (%s), want %s (%s)", c.feature, err, fault.KindOf(err), c.want, c.kind)
		}
	}
}

// A function that fails on the rows ends the set with its error, after no row that would
// be taken for a whole set.
func TestAFunctionThatFailsOnTheRows(t *testing.T) {
	opt := taxiOptions(t, withComputed(computedView("bad", "python", "return {\"x\": [f + 1 for f in inputs[\"fare\"]]}",
		[]*core.OnDemandSource{source("fares", fare)}, feature("x", types.ValueType_DOUBLE))))
	set, err := training.New(opt).Historical(t.Context(), training.Request{Features: []string{"bad:x"}, Rows: twoDrivers(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if set.Next() || fault.KindOf(set.Err()) != fault.Invalid || !strings.Contains(set.Err().Error(), `on-demand feature view "bad" cannot be computed: line 2 of its function: TypeError`) {
		t.Errorf("%v", set.Err())
	}
}
