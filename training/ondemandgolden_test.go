package training_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	registryfile "github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/training"
)

// onDemandDifference is how a training set of a recorded on-demand view differs from Feast's.
func onDemandDifference(c *recorded) difference {
	switch {
	case strings.HasPrefix(c.Name, "alias"):
		return difference{result: true, reason: "Feast cannot compute a view that has an alias"}
	case c.Error == nil:
		return difference{sources: [][2]int{{3, 6}}, reason: sourceOrder}
	default:
		return difference{}
	}
}

// onDemandService makes the service over a recorded repository with on-demand views.
func onDemandService(t *testing.T, dir string) *training.Service {
	t.Helper()
	reg, _, err := registryfile.New(filepath.Join(golden, dir, "registry", "applied.db")).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{VersionedTables: true})
	if err != nil {
		t.Fatal(err)
	}
	return training.New(training.Options{Snapshots: func() *registry.Snapshot { return snapshot }, Project: "rides", Versioned: true, Source: parquet.New(filepath.Join(golden, dir))})
}

// Training sets of on-demand views are Feast's, also with a version that the request or a service names.
func TestRecordedOnDemandViews(t *testing.T) {
	for dir, count := range map[string]int{"feast_0.67/on_demand": 16, "feast_0.66/on_demand": 6} {
		t.Run(dir, func(t *testing.T) {
			service := onDemandService(t, dir)
			cases := recordedCases(t, dir)
			if len(cases) != count {
				t.Fatalf("%d cases, want %d", len(cases), count)
			}
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) { compareCase(t, service, c, onDemandDifference(c)) })
			}
		})
	}
}

// A view with an alias gives the same values as without: Feast's own, in a training set of the view itself.
func TestRecordedOnDemandViewWithAnAlias(t *testing.T) {
	const dir = "feast_0.67/on_demand"
	service := onDemandService(t, dir)
	byName := map[string]*recorded{}
	for _, c := range recordedCases(t, dir) {
		byName[c.Name] = c
	}
	for alias, column := range map[string]string{"alias": "rating", "alias_full_names": "opinion__rating"} {
		set, err := service.Historical(t.Context(), byName[alias].request(t))
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		got, want := shown(t, set), shown(t, fileReader(t, byName["latest"].result))
		if diff := cmp.Diff(want.cellsOf(t, "driver_id", "event_timestamp", "rating"), got.cellsOf(t, "driver_id", "event_timestamp", column)); diff != "" {
			t.Errorf("%s (-Feast +banquet):\n%s", alias, diff)
		}
	}
}

// cellsOf are the cells of some columns: one text for each row, by the text of the first two.
func (s shownRows) cellsOf(t *testing.T, names ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, row := range s.rows {
		var cells []string
		for i, name := range s.names {
			for _, n := range names {
				if n == name {
					cells = append(cells, row[i])
				}
			}
		}
		if len(cells) != len(names) {
			t.Fatalf("columns %v lack some of %v", s.names, names)
		}
		out[cells[0]+" "+cells[1]] = cells[2]
	}
	return out
}
