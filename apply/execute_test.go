package apply_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// world is a registry, an online store and records that log the calls which change
// something, and fail when they are told to.
type world struct {
	registry.Storage
	stores.Admin

	mu      sync.Mutex
	records map[string][]byte
	calls   []string
	// fail is the number of the call that fails, from 1; half says that it has its
	// effect nevertheless.
	fail int
	half bool
	// stop ends the context of the failing call, which then returns its error.
	stop func()
	// before is called before a registry is saved.
	before func()
}

func newWorld(t *testing.T) *world {
	return &world{
		Storage: file.New(filepath.Join(t.TempDir(), "registry.db")), Admin: new(memory.Store), records: map[string][]byte{},
	}
}

// call logs a call and makes it, unless it is the one that fails.
func (w *world) call(name string, make func() error) error {
	w.mu.Lock()
	w.calls = append(w.calls, name)
	failing := len(w.calls) == w.fail
	w.mu.Unlock()
	if failing && w.stop != nil {
		w.stop()
		return fault.Of(context.Canceled)
	}
	if failing && !w.half {
		return fault.New(fault.Unavailable, "%s failed", name)
	}
	if err := make(); err != nil {
		return err
	}
	if failing {
		return fault.New(fault.Unavailable, "the response of %s was lost", name)
	}
	return nil
}

func (w *world) Writable(ctx context.Context) error {
	return w.call("writable", func() error { return w.Storage.Writable(ctx) })
}

func (w *world) Save(ctx context.Context, next *core.Registry, base registry.Revision) (rev registry.Revision, err error) {
	if w.before != nil {
		before := w.before
		w.before = nil
		before()
	}
	err = w.call("save", func() error {
		rev, err = w.Storage.Save(ctx, next, base)
		return err
	})
	return rev, err
}

func (w *world) Do(ctx context.Context, changes []stores.Change) (findings []stores.Finding, err error) {
	var names []string
	for _, c := range changes {
		names = append(names, []string{"create ", "alter ", "drop "}[c.Action]+c.Name)
	}
	err = w.call(strings.Join(names, ", "), func() error {
		findings, err = w.Admin.Do(ctx, changes)
		return err
	})
	return findings, err
}

func (w *world) Get(_ context.Context, name string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[name], nil
}

func (w *world) List(_ context.Context, prefix string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for name := range w.records {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (w *world) Put(_ context.Context, name string, data []byte) error {
	what := "remember"
	if data == nil {
		what = "forget"
	}
	return w.call(what, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if data == nil {
			delete(w.records, name)
		} else {
			w.records[name] = data
		}
		return nil
	})
}

func (w *world) apply(t *testing.T, views ...string) error {
	_, err := apply.New(w.options()).Apply(t.Context(), objects(views...), apply.Observer{})
	return err
}

func (w *world) options() apply.Options {
	return apply.Options{Storage: w, Project: "p", Online: w, Records: w}
}

func objects(views ...string) *registry.Objects {
	o := &registry.Objects{}
	for _, v := range views {
		o.FeatureViews = append(o.FeatureViews, viewNamed(v))
	}
	return o
}

// state is the views of the stored registry, and the tables, of all views that tests
// use.
func (w *world) state(t *testing.T) (views, tables []string) {
	t.Helper()
	reg, _, err := w.Load(t.Context())
	if err != nil && fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
	for _, v := range reg.GetFeatureViews() {
		views = append(views, v.GetSpec().GetName())
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		p, err := w.Plan(t.Context(), stores.Tables{Drop: []stores.Table{{Project: "p", View: name}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Changes) > 0 {
			tables = append(tables, name)
		}
	}
	slices.Sort(views)
	return views, tables
}

func TestTheOrderOfAnApply(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		views []string
		calls string
	}{
		{[]string{"a", "b"}, "writable; create p_a, create p_b; save"},
		{[]string{"a", "b"}, ""},
		{[]string{"b", "c"}, "writable; create p_c; remember; save; drop p_a; forget"},
		{[]string{"c"}, "writable; remember; save; drop p_b; forget"},
	} {
		w.calls = nil
		if err := w.apply(t, step.views...); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.calls, "; "); got != step.calls {
			t.Errorf("apply of %v makes %q, want %q", step.views, got, step.calls)
		}
		views, tables := w.state(t)
		if !slices.Equal(views, step.views) || !slices.Equal(tables, step.views) {
			t.Errorf("after an apply of %v: views %v, tables %v", step.views, views, tables)
		}
	}
}

// Whatever call fails, before or after it had its effect: no table of a view that the
// registry lists is gone, and the same apply does the rest.
func TestEachCallOfAnApplyFails(t *testing.T) {
	for call := 1; ; call++ {
		for _, half := range []bool{false, true} {
			w := newWorld(t)
			if err := w.apply(t, "a", "b"); err != nil {
				t.Fatal(err)
			}
			w.calls, w.fail, w.half = nil, call, half
			err := w.apply(t, "b", "c")
			if len(w.calls) < call {
				if call < 6 || err != nil {
					t.Fatalf("an apply makes %d calls: %v, %v", len(w.calls), w.calls, err)
				}
				return
			}
			name := fmt.Sprintf("%s fails, half done %v", w.calls[call-1], half)
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			views, tables := w.state(t)
			for _, v := range views {
				if !slices.Contains(tables, v) {
					t.Errorf("%s: the registry lists %v, the tables are %v", name, views, tables)
				}
			}
			w.fail = 0
			if err := w.apply(t, "b", "c"); err != nil {
				t.Errorf("%s: the second apply: %v", name, err)
			}
			views, tables = w.state(t)
			if got := fmt.Sprint(views, tables); got != "[b c] [b c]" {
				t.Errorf("%s: after the second apply: %s", name, got)
			}
			if len(w.records) > 0 {
				t.Errorf("%s: records are left: %s", name, w.records)
			}
		}
	}
}

// A directory in which no record can be written does not stop an apply.
func TestNoPlaceForRecords(t *testing.T) {
	w := newWorld(t)
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	opt := w.options()
	opt.Records = noRecords{w}
	if _, err := apply.New(opt).Apply(t.Context(), objects("b"), apply.Observer{}); err != nil {
		t.Fatal(err)
	}
	if views, tables := w.state(t); fmt.Sprint(views, tables) != "[b] [b]" {
		t.Error(views, tables)
	}
}

type noRecords struct{ *world }

func (noRecords) Put(context.Context, string, []byte) error {
	return fault.New(fault.Denied, "no permission")
}

// The name of a project has any length and any letters, and its record has a file.
func TestTheRecordOfAProjectWithALongName(t *testing.T) {
	for _, project := range []string{strings.Repeat("p", 300), strings.Repeat("고객신용", 60)} {
		w := newWorld(t)
		opt := w.options()
		opt.Project, opt.Records = project, file.New(filepath.Join(t.TempDir(), "registry.db")).Records()
		for _, views := range [][]string{{"a", "b"}, {"b"}} {
			if _, err := apply.New(opt).Apply(t.Context(), objects(views...), apply.Observer{}); err != nil {
				t.Errorf("%.20s: %v", project, err)
			}
		}
	}
}

// A table that is waiting to be dropped stays if its view has been defined again.
func TestATableThatIsNeededAgainStays(t *testing.T) {
	w := newWorld(t)
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	w.calls, w.fail = nil, 4 // the drop
	if err := w.apply(t, "b"); err == nil || !strings.Contains(err.Error(), "the registry is saved") || !strings.Contains(err.Error(), "p_a") {
		t.Fatalf("%v after %v", err, w.calls)
	}
	w.fail = 0
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if views, tables := w.state(t); fmt.Sprint(views, tables) != "[a b] [a b]" {
		t.Error(views, tables)
	}
}

// add is another writer that adds a view to the registry.
func (w *world) add(t *testing.T, project, view string) {
	t.Helper()
	_, err := registry.Update(t.Context(), w.Storage, func(reg *core.Registry) error {
		v := viewNamed(view)
		v.Spec.Project = project
		reg.FeatureViews = append(reg.FeatureViews, v)
		if project != "p" {
			reg.Projects = append(reg.Projects, &core.Project{Spec: &core.ProjectSpec{Name: project}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOtherWriters(t *testing.T) {
	for _, c := range []struct {
		name, project, view string
		plans               int
		calls               string
	}{
		{"another project needs no other plan", "q", "z", 1, "writable; create p_b; save; save"},
		{"a view that is not defined here is deleted, and a second plan says so", "p", "d", 2, "writable; create p_b; save; writable; remember; save; forget"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if err := w.apply(t, "a"); err != nil {
				t.Fatal(err)
			}
			w.calls = nil
			w.before = func() { w.add(t, c.project, c.view) }
			plans := 0
			if _, err := apply.New(w.options()).Apply(t.Context(), objects("a", "b"), apply.Observer{Planned: func(*apply.Plan) { plans++ }}); err != nil {
				t.Fatal(err)
			}
			if views, _ := w.state(t); slices.Contains(views, "d") {
				t.Error("the view is left:", views)
			}
			if got := strings.Join(w.calls, "; "); got != c.calls || plans != c.plans {
				t.Errorf("%d plans, calls %s", plans, got)
			}
		})
	}
}

// An apply that is refused changes nothing: neither tables nor the registry.
func TestARegistryThatMayNotBeWritten(t *testing.T) {
	w := newWorld(t)
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	w.calls, w.fail = nil, 1
	p, err := apply.New(w.options()).Plan(t.Context(), objects("b", "c"))
	if err != nil || p.Refused == nil || len(p.Tables) != 2 {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	w.calls = nil
	if err := w.apply(t, "b", "c"); err == nil || len(w.calls) != 1 {
		t.Errorf("%v after %v", err, w.calls)
	}
	if views, tables := w.state(t); fmt.Sprint(views, tables) != "[a b] [a b]" {
		t.Error(views, tables)
	}
}

// A table that somebody has dropped is in the plan, and made again.
func TestATableDroppedByHand(t *testing.T) {
	w := newWorld(t)
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.Update(t.Context(), w.Admin, stores.Tables{Drop: []stores.Table{{Project: "p", View: "a"}}}); err != nil {
		t.Fatal(err)
	}
	p, err := apply.New(w.options()).Plan(t.Context(), objects("a", "b"))
	if err != nil || len(p.Changes) != 0 || len(p.Tables) != 1 || p.Tables[0].Name != "p_a" || p.Tables[0].Action != stores.Create {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	w.calls = nil
	if err := w.apply(t, "a", "b"); err != nil || strings.Join(w.calls, "; ") != "create p_a" {
		t.Errorf("%v, %v", w.calls, err)
	}
}

// Appliers of different projects in one registry do not turn each other away.
func TestManyAppliers(t *testing.T) {
	w := newWorld(t)
	const appliers = 40
	var wait sync.WaitGroup
	for i := range appliers {
		wait.Go(func() {
			opt := w.options()
			opt.Project, opt.Records = fmt.Sprint("p", i), nil
			if _, err := apply.New(opt).Apply(t.Context(), objects("a"), apply.Observer{}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	reg, _, err := w.Load(t.Context())
	if err != nil || len(reg.GetFeatureViews()) != appliers {
		t.Errorf("%d views, %v", len(reg.GetFeatureViews()), err)
	}
}
