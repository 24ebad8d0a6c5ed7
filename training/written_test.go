package training_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/training"
)

// storedView is an on-demand view of drivers that is written.
func storedView(name, mode, body string, sources []*core.OnDemandSource, features ...*core.FeatureSpecV2) *core.OnDemandFeatureView {
	v := computedView(name, mode, body, sources, features...)
	v.Spec.Entities, v.Spec.WriteToOnlineStore = []string{"driver"}, true
	return v
}

// writtenRows are the rows of a view between two times of March 1, sorted, and the number of
// those without a key.
func writtenRows(t *testing.T, opt training.Options, view string, start, end time.Time) (rows []string, nulls int64, err error) {
	t.Helper()
	project, err := opt.Snapshots().Project("taxi")
	if err != nil {
		t.Fatal(err)
	}
	v, err := project.View(view)
	if err != nil {
		t.Fatal(err)
	}
	r, err := training.New(opt).Written(t.Context(), project, v, start, end, func(n int64) { nulls += n })
	if err != nil {
		return nil, nulls, err
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		for row := range int(b.NumRows()) {
			var cells []string
			for _, c := range b.Columns() {
				cells = append(cells, c.ValueStr(row))
			}
			rows = append(rows, strings.Join(cells, " "))
		}
	}
	slices.Sort(rows)
	return rows, nulls, r.Err()
}

var firstOfMarch = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

// The rows of a view have the keys and times of the newest rows of its sources.
func TestRowsOfAWrittenView(t *testing.T) {
	number, double, word := types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_STRING
	views := []*core.OnDemandFeatureView{
		storedView("one", "pandas", "out = pd.DataFrame()\nout[\"twice\"] = inputs[\"fare\"] * 2\nreturn out", []*core.OnDemandSource{source("fares", fare)}, feature("twice", double)),
		storedView("each", "python", "return {\"twice\": [f * 2 for f in inputs[\"fare\"]]}", []*core.OnDemandSource{source("fares", fare)}, feature("twice", double)),
		storedView("kinds", "python", "return {\"text\": [f\"{f!r} {t!r} {s!r}\" for f, t, s in zip(inputs[\"fare\"], inputs[\"trips\"], inputs[\"label\"])]}",
			[]*core.OnDemandSource{source("fares", fare, feature("label", word)), source("trips", trips)}, feature("text", word)),
		storedView("two", "pandas", "out = pd.DataFrame()\nout[\"sum\"] = inputs[\"fare\"].fillna(0) + inputs[\"trips\"].fillna(0)\nreturn out",
			[]*core.OnDemandSource{source("fares", fare), source("trips", trips)}, feature("sum", double)),
		storedView("three", "python", "return {\"text\": [f\"{k} {f} {t} {s}\" for k, f, t, s in zip(inputs[\"driver_id\"], inputs[\"fare\"], inputs[\"trips\"], inputs[\"sky\"])]}",
			[]*core.OnDemandSource{source("fares", fare), source("trips", trips), source("weather", sky)}, feature("text", word)),
		storedView("mean", "pandas", "out = pd.DataFrame()\nout[\"mean\"] = inputs[\"trips\"] * 0 + inputs[\"trips\"].mean()\nreturn out", []*core.OnDemandSource{source("trips", trips)}, feature("mean", double)),
		storedView("timed", "python", "return {\"hour\": [t.hour for t in inputs[\"event_timestamp\"]]}", []*core.OnDemandSource{source("trips", trips)}, feature("hour", number)),
		storedView("over", "pandas", "out = pd.DataFrame()\nout[\"trips\"] = inputs[\"trips\"] + 1\nreturn out", []*core.OnDemandSource{source("trips", trips)}, trips),
		storedView("changed", "pandas", "inputs[\"trips\"] = inputs[\"trips\"] + 1\nreturn inputs", []*core.OnDemandSource{source("trips", trips)}, trips),
		storedView("own", "python", "return {\"trips\": [n + 1 for n in inputs[\"trips\"]]}", []*core.OnDemandSource{source("trips", trips)}, trips),
		storedView("bare", "python", "return {\"one\": [1 for n in inputs[\"driver_id\"]]}", []*core.OnDemandSource{source("trips", trips)}, feature("one", number)),
		storedView("everywhere", "python", "return {\"low\": [s.lower() for s in inputs[\"sky\"]]}", []*core.OnDemandSource{source("weather", sky)}, feature("low", word)),
		storedView("single", "python", "return {\"next\": inputs[\"trips\"] + 1}", []*core.OnDemandSource{source("trips", trips)}, feature("next", number)),
	}
	views[11].Spec.Entities = nil
	views[12].Spec.Singleton = true
	opt := taxiOptions(t, withComputed(views...))
	for name, want := range map[string][]string{
		"one":   {"1 23 2024-03-01T01:00:00", "2 (null) 2024-03-01T00:00:00"},
		"each":  {"1 23 2024-03-01T01:00:00", "2 (null) 2024-03-01T00:00:00"},
		"kinds": {"1 10.5 7.0 'first' 2024-03-01T00:30:00", "1 11.5 7.0 'second' 2024-03-01T01:00:00", "2 nan nan None 2024-03-01T00:00:00"}, // as in Feast, of a DataFrame
		"two":   {"1 17.5 2024-03-01T00:30:00", "1 18.5 2024-03-01T01:00:00", "2 0 2024-03-01T00:00:00"},                                     // driver 3 is before the window
		"three": {"1 1 10.5 7.0 clear 2024-03-01T00:30:00", "1 1 11.5 7.0 rain 2024-03-01T01:00:00", "2 2 nan nan clear 2024-03-01T00:00:00"},
		"mean":  {"1 7 2024-03-01T00:30:00"}, "timed": {"1 0 2024-03-01T00:30:00"},
		"over": {"1 7 2024-03-01T00:30:00"}, "changed": {"1 8 2024-03-01T00:30:00"}, // as in Feast, the input counts
		"own": {"1 8 2024-03-01T00:30:00"}, "bare": {"1 1 2024-03-01T00:30:00"}, "single": {"1 8 2024-03-01T00:30:00"},
		"everywhere": {"rain 2024-03-01T00:45:00"},
	} {
		got, nulls, err := writtenRows(t, opt, name, firstOfMarch, firstOfMarch.Add(time.Hour))
		if err != nil || nulls != 0 || !cmp.Equal(got, want) {
			t.Errorf("%s: %v, %d nulls, %v", name, err, nulls, cmp.Diff(want, got))
		}
	}
	if got, _, err := writtenRows(t, opt, "two", firstOfMarch.Add(-time.Hour), firstOfMarch.Add(-time.Minute)); err != nil || len(got) != 0 {
		t.Errorf("no rows in the window: %v, %v", got, err)
	}
}

// Rows without a key are left out before the function sees them, and sources may have the
// keys in different types.
func TestKeysOfWrittenRows(t *testing.T) {
	opt := taxiOptions(t, func(reg *core.Registry) {
		reg.OnDemandFeatureViews = []*core.OnDemandFeatureView{
			storedView("sum", "python", "return {\"sum\": [f + 1 for f in inputs[\"fare\"]]}", []*core.OnDemandSource{source("fares", fare)}, feature("sum", types.ValueType_DOUBLE)),
			storedView("share", "pandas", "out = pd.DataFrame()\nout[\"share\"] = inputs[\"fare\"] / inputs[\"fare\"].sum()\nreturn out",
				[]*core.OnDemandSource{source("fares", fare), source("trips", trips)}, feature("share", types.ValueType_DOUBLE)),
		}
	})
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("fares.csv", "driver_id,fare,label,at,made\n,1,,2024-03-01T00:00:00Z,\n,,,2024-03-01T01:00:00Z,\n1,3,,2024-03-01T00:30:00Z,\n2,9,,2024-03-01T00:30:00Z,\n")
	write("trips.csv", "driver_id,trips,at\n1,7,2024-03-01T00:30:00Z\n")
	opt.Source = offlinetest.Oracle{Store: parquet.New(dir)}
	got, nulls, err := writtenRows(t, opt, "sum", firstOfMarch, firstOfMarch.Add(time.Hour))
	if want := []string{"1 4 2024-03-01T00:30:00", "2 10 2024-03-01T00:30:00"}; err != nil || nulls != 1 || !cmp.Equal(got, want) {
		t.Errorf("%v, %d nulls, %v", got, nulls, err)
	}
	// Driver 1 has a row in both sources at one time: the function gets it once.
	got, _, err = writtenRows(t, opt, "share", firstOfMarch, firstOfMarch.Add(time.Hour))
	if want := []string{"1 0.25 2024-03-01T00:30:00", "2 0.75 2024-03-01T00:30:00"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	opt.WholeCells = 3
	if _, _, err = writtenRows(t, opt, "share", firstOfMarch, firstOfMarch.Add(time.Hour)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("too many rows at once: %v", err)
	}
}

// A join key that a projection maps is a key of the view under its new name.
func TestWrittenRowsOfAMappedKey(t *testing.T) {
	mapped := source("trips", trips)
	mapped.GetFeatureViewProjection().JoinKeyMap = map[string]string{"driver_id": "cabbie"}
	v := storedView("next", "python", "return {\"next\": [n + c for n, c in zip(inputs[\"trips\"], inputs[\"cabbie\"])]}", []*core.OnDemandSource{mapped}, feature("next", types.ValueType_INT64))
	v.Spec.Entities = []string{"cabbie"}
	opt := taxiOptions(t, func(reg *core.Registry) {
		reg.Entities = append(reg.Entities, &core.Entity{Spec: &core.EntitySpecV2{Name: "cabbie", Project: "taxi", JoinKey: "cabbie", ValueType: types.ValueType_INT64}})
		reg.OnDemandFeatureViews = []*core.OnDemandFeatureView{v}
	})
	got, _, err := writtenRows(t, opt, "next", firstOfMarch, firstOfMarch.Add(time.Hour))
	if want := []string{"1 8 2024-03-01T00:30:00"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

// Rows that cannot be computed are refused before a source is read.
func TestWrittenViewsThatAreRefused(t *testing.T) {
	customers := view("shops", "shops.csv", 0, []string{"shop"}, feature("size", types.ValueType_INT64))
	size := source("shops", feature("size", types.ValueType_INT64))
	sum := "return {\"x\": [1 for v in inputs[\"%s\"]]}"
	x := feature("x", types.ValueType_INT64)
	keyless := storedView("keyless", "python", fmt.Sprintf(sum, "trips"), []*core.OnDemandSource{source("trips", trips)}, x)
	keyless.Spec.Entities = nil
	other := storedView("other", "python", fmt.Sprintf(sum, "trips"), []*core.OnDemandSource{source("trips", trips)}, x)
	other.Spec.Entities = []string{"shop"}
	both := storedView("both", "python", fmt.Sprintf(sum, "trips"), []*core.OnDemandSource{source("trips", trips), size}, x)
	both.Spec.Entities = []string{"driver", "shop"}
	views := []*core.OnDemandFeatureView{
		keyless, other, both,
		storedView("asks", "python", fmt.Sprintf(sum, "r"), []*core.OnDemandSource{source("trips", trips), asked(feature("r", types.ValueType_INT64))}, x),
		storedView("alone", "python", fmt.Sprintf(sum, "r"), []*core.OnDemandSource{asked(feature("r", types.ValueType_INT64))}, x),
		storedView("calls", "python", "return model.predict(inputs)", []*core.OnDemandSource{source("trips", trips)}, x),
		storedView("gone", "python", fmt.Sprintf(sum, "r"), []*core.OnDemandSource{source("nothing", trips)}, x),
	}
	opt := taxiOptions(t, func(reg *core.Registry) {
		reg.FeatureViews = append(reg.FeatureViews, customers)
		reg.Entities = append(reg.Entities, &core.Entity{Spec: &core.EntitySpecV2{Name: "shop", Project: "taxi", JoinKey: "shop_id", ValueType: types.ValueType_INT64}})
		reg.OnDemandFeatureViews = views
	})
	opt.Source = untouched{opt.Source, t}
	const end = ", so that its rows cannot be computed from its sources; write them, for example with `banquet push --view "
	for name, want := range map[string]string{
		"keyless": "on-demand feature view keyless has no entities, while its sources have join keys" + end,
		"other":   "on-demand feature view other has the join key shop_id, which no source has" + end,
		"both":    "on-demand feature view both has sources of which none has all join keys (trips has driver_id (INT64), shops has shop_id (INT64))" + end,
		"asks":    "on-demand feature view asks needs request data (r)" + end,
		"alone":   "on-demand feature view alone has no source that is a feature view" + end,
		"calls":   `on-demand feature view "calls" cannot be computed: line 2 of its function: `,
		"gone":    "",
	} {
		_, _, err := writtenRows(t, opt, name, firstOfMarch, firstOfMarch.Add(time.Hour))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		project, _ := opt.Snapshots().Project("taxi")
		v, _ := project.View(name)
		if again := training.New(opt).CheckWritten(project, v); again == nil || err == nil || again.Error() != err.Error() {
			t.Errorf("%s: the check says %v", name, again)
		}
	}
}
