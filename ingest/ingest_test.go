package ingest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

var allTypes = filepath.Join("..", "testdata", "golden", "all_types")

var (
	start = time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)
	end   = time.Date(2024, 3, 6, 0, 0, 0, 0, time.UTC)
	// views are views that Feast can materialize, too.
	views = []string{"scalars", "arrays", "triple", "forever", "inferred", "mapped", "by_moment", "overall"}
)

// setUp opens the recorded repository as it was after its first apply, with an
// empty online store.
func setUp(t *testing.T) (opt ingest.Options, db string) {
	t.Helper()
	dir := t.TempDir()
	db = filepath.Join(dir, "online.db")
	copyFile(t, filepath.Join(allTypes, "registry", "1_apply.db"), filepath.Join(dir, "registry.db"))
	online, err := sqlite.OpenIn(db, time.UTC) // as it was recorded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = online.Close() })
	opt = ingest.Options{
		Storage: file.New(filepath.Join(dir, "registry.db")), Project: "all_types", KeyVersion: 3,
		Offline: parquet.New(filepath.Join(allTypes, "feature_repo")), Online: online,
	}
	var specs []stores.TableSpec
	for _, v := range project(t, opt).FeatureViews() {
		specs = append(specs, stores.TableSpec{Table: stores.Table{Project: "all_types", View: v.GetSpec().GetName()}})
	}
	if _, err := storetest.Update(t.Context(), online, stores.Tables{Keep: specs}); err != nil {
		t.Fatal(err)
	}
	return opt, db
}

func project(t *testing.T, opt ingest.Options) *registry.Project {
	t.Helper()
	reg, _, err := opt.Storage.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Project("all_types")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cells reads all rows of a SQLite online store, by table, key and feature.
func cells(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	var tables, out []string
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		rows, err := db.QueryContext(t.Context(), `SELECT entity_key, feature_name, value, CAST(event_ts AS TEXT) FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var key, value []byte
			var feature, event string
			if err := rows.Scan(&key, &feature, &value, &event); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s %x %s %x %s", table, key, feature, value, event))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	sort.Strings(out)
	return out
}

// writes records the keys of each write.
type writes struct {
	stores.Writer
	mu   sync.Mutex
	keys [][]string
}

func (w *writes) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []string
	for _, r := range records {
		keys = append(keys, string(r.Key))
	}
	w.keys = append(w.keys, keys)
	return w.Writer.Write(ctx, table, features, records, mode)
}

// Rows are written in the order of their keys, each write carries the requested
// number, and no two writes overlap.
func TestRowsAreWrittenByKey(t *testing.T) {
	for name, c := range map[string]struct{ size, cells, want int }{"by rows": {2, 1000, 2}, "by values": {0, 1000, 125}, "few values": {0, 8, 1000}} {
		t.Run(name, func(t *testing.T) {
			opt, _ := setUp(t)
			w := &writes{Writer: opt.Online}
			opt.Online, opt.BatchSize, opt.BatchCells = w, c.size, c.cells
			results, err := ingest.New(opt).Materialize(t.Context(), ingest.Request{Views: []string{"scalars"}, Start: start, End: end})
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(w.keys, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
			if all := slices.Concat(w.keys...); !slices.IsSorted(all) || len(all) != results[0].Written || len(all) < 3 {
				t.Errorf("%d keys in %d writes, sorted: %v", len(all), len(w.keys), slices.IsSorted(all))
			}
			for i, keys := range w.keys {
				if len(keys) > c.want || i < len(w.keys)-1 && len(keys) < c.want {
					t.Errorf("write %d has %d rows, want %d", i, len(keys), c.want)
				}
			}
		})
	}
}

// TestGolden materializes the recorded repository, which has every type: the
// rows and the intervals are those that Feast wrote.
func TestGolden(t *testing.T) {
	opt, db := setUp(t)
	if _, err := ingest.New(opt).Materialize(t.Context(), ingest.Request{Views: views, Start: start, End: end}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join(t.TempDir(), "golden.db")
	copyFile(t, filepath.Join(allTypes, "online", "2_materialize.online.db"), golden)
	ours := func(cell string) bool {
		return slices.ContainsFunc(views, func(v string) bool { return strings.HasPrefix(cell, "all_types_"+v+" ") })
	}
	want, got := slices.DeleteFunc(cells(t, golden), func(c string) bool { return !ours(c) }), cells(t, db)
	if len(want) < 100 {
		t.Fatalf("%d cells", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-Feast +banquet\n%.4000s", diff)
	}
	for _, v := range project(t, opt).FeatureViews() {
		intervals := v.GetMeta().GetMaterializationIntervals()
		if !slices.Contains(views, v.GetSpec().GetName()) {
			continue
		}
		if len(intervals) != 1 || !intervals[0].GetStartTime().AsTime().Equal(start) || !intervals[0].GetEndTime().AsTime().Equal(end) {
			t.Errorf("%s: %v", v.GetSpec().GetName(), intervals)
		}
	}
}

func TestAnEmptyWindowTellsWhereTheRowsAre(t *testing.T) {
	opt, _ := setUp(t)
	results, err := ingest.New(opt).Materialize(t.Context(), ingest.Request{Views: []string{"scalars"}, Start: start.AddDate(-30, 0, 0), End: start.AddDate(-20, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Read != 0 || r.Written != 0 || !strings.Contains(r.Hint, "banquet materialize ") {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotBeMaterialized(t *testing.T) {
	opt, db := setUp(t)
	m := ingest.New(opt)
	for name, req := range map[string]ingest.Request{
		"nope":      {Views: []string{"nope"}, Start: start, End: end},
		"the start": {Start: end, End: start},
	} {
		if _, err := m.Materialize(t.Context(), req); err == nil || !strings.Contains(fault.Of(err).Text, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Materialize(ctx, ingest.Request{Start: start, End: end}); err == nil {
		t.Error("a canceled run succeeds")
	}
	if n := len(cells(t, db)); n != 0 {
		t.Errorf("%d cells are written", n)
	}
}

// A feature that was inferred from a source type that Feast does not know has
// no value type; the error names the remedy.
func TestAFeatureWithoutATypeIsNotMaterialized(t *testing.T) {
	opt, _ := setUp(t)
	_, err := registry.Update(t.Context(), opt.Storage, func(reg *core.Registry) error {
		for _, v := range reg.GetFeatureViews() {
			if v.GetSpec().GetName() == "scalars" {
				v.GetSpec().GetFeatures()[0].ValueType = types.ValueType_INVALID
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ingest.New(opt).Materialize(t.Context(), ingest.Request{Views: []string{"scalars"}, Start: start, End: end})
	if err == nil || !strings.Contains(fault.Of(err).Text, "it has no value type, since Feast knows none for its type in the source; list it in the view's schema") {
		t.Errorf("got %v", err)
	}
}

// If two columns are mapped to one name, none is chosen silently.
func TestTwoColumnsOfOneNameAreNotMaterialized(t *testing.T) {
	opt, db := setUp(t)
	_, err := registry.Update(t.Context(), opt.Storage, func(reg *core.Registry) error {
		for _, v := range reg.GetFeatureViews() {
			if spec := v.GetSpec(); spec.GetName() == "scalars" {
				spec.GetBatchSource().FieldMapping = map[string]string{"f_int32": "f_int64", "f_float64": "f_int64"}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ingest.New(opt).Materialize(t.Context(), ingest.Request{Views: []string{"scalars"}, Start: start, End: end})
	if err == nil || !strings.Contains(fault.Of(err).Text, "the source's field mapping renames both column f_float64 and column f_int32 to f_int64") || len(cells(t, db)) > 0 {
		t.Errorf("%v", err)
	}
}

// TestIncremental continues where the last window ended, and repairs nothing
// that is intact.
func TestIncremental(t *testing.T) {
	opt, _ := setUp(t)
	m := ingest.New(opt)
	if _, err := m.Materialize(t.Context(), ingest.Request{Views: []string{"scalars"}, Start: start, End: end}); err != nil {
		t.Fatal(err)
	}
	next := end.AddDate(0, 1, 0)
	results, err := m.MaterializeIncremental(t.Context(), ingest.Request{Views: []string{"scalars"}, End: next})
	if err != nil {
		t.Fatal(err)
	}
	if w := results[0].Window; !w.Start.Equal(end) || !w.End.Equal(next) {
		t.Errorf("%+v", w)
	}
}
