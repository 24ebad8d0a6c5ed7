package apply_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
)

func viewNamed(name string) *core.FeatureView {
	return &core.FeatureView{Spec: &core.FeatureViewSpec{
		Name: name, Online: true, Features: []*core.FeatureSpecV2{{Name: "f", ValueType: 4}}, EntityColumns: []*core.FeatureSpecV2{{Name: "k", ValueType: 4}},
	}}
}

// recorder records which tables an apply drops.
type recorder struct {
	stores.Admin
	dropped []stores.Table
}

func (r *recorder) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	for _, c := range changes {
		if c.Action == stores.Drop {
			r.dropped = append(r.dropped, c.Spec.Table)
		}
	}
	return r.Admin.Do(ctx, changes)
}

func TestNothingIsDeletedWhileSomethingWasPassedOver(t *testing.T) {
	storage := file.New(filepath.Join(t.TempDir(), "registry.db"))
	online := &recorder{Admin: new(memory.Store)}
	options := apply.Options{Storage: storage, Project: "p", Online: online}
	both := &registry.Objects{FeatureViews: []*core.FeatureView{viewNamed("a"), viewNamed("b")}}
	if _, err := apply.New(options).Apply(t.Context(), both, apply.Observer{}); err != nil {
		t.Fatal(err)
	}
	one := func() *registry.Objects { return &registry.Objects{FeatureViews: []*core.FeatureView{viewNamed("a")}} }
	views := func() int {
		reg, _, err := storage.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(reg.GetFeatureViews())
	}

	options.Passed = []string{"features.py:3: pandas.read_csv() is not run"}
	_, err := apply.New(options).Apply(t.Context(), one(), apply.Observer{})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "feature view b") || !strings.Contains(err.Error(), "features.py:3") ||
		!strings.Contains(err.Error(), "--allow-deletions") {
		t.Errorf("the error is %v", err)
	}
	if views() != 2 || len(online.dropped) > 0 {
		t.Errorf("%d views are left, dropped is %v", views(), online.dropped)
	}
	if p, err := apply.New(options).Plan(t.Context(), one()); err != nil || p.Refused == nil {
		t.Errorf("the plan is refused with %v, its error is %v", p.Refused, err)
	}
	if p, err := apply.New(options).Plan(t.Context(), &registry.Objects{FeatureViews: []*core.FeatureView{viewNamed("a"), viewNamed("b"), viewNamed("c")}}); err != nil || p.Refused != nil {
		t.Errorf("a plan that deletes nothing is refused with %v, its error is %v", p.Refused, err)
	}

	options.Passed = nil
	_, err = apply.New(options).Apply(t.Context(), &registry.Objects{}, apply.Observer{})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "feature view a, feature view b") || !strings.Contains(err.Error(), "the repository defines nothing at all") {
		t.Errorf("an empty repository: the error is %v", err)
	}
	if views() != 2 || len(online.dropped) > 0 {
		t.Errorf("an empty repository: %d views are left, dropped is %v", views(), online.dropped)
	}

	options.AllowDeletions = true
	if _, err := apply.New(options).Apply(t.Context(), one(), apply.Observer{}); err != nil {
		t.Fatal(err)
	}
	if views() != 1 || len(online.dropped) != 1 {
		t.Errorf("%d views are left, dropped is %v", views(), online.dropped)
	}
}
