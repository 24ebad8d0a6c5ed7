package apply

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// Observer has functions that an apply calls. Nil functions are not called.
type Observer struct {
	// Planned is called with the plan before anything is changed, and again if another
	// writer has changed the registry so that the plan is another.
	Planned func(p *Plan)
}

// planTries is how often Apply plans again because another writer has changed the same
// project.
const planTries = 10

// errOutdated says that the registry has changed so that the plan is another.
var errOutdated = errors.New("the plan is outdated")

// Apply writes the objects to the registry and the online store, in this order:
//
//  1. plan, and stop if the plan is refused or the registry is not writable,
//  2. create and alter tables,
//  3. save the registry,
//  4. drop tables.
//
// So the registry never lists a view without its table, and no table is dropped that a
// stored registry lists. If an apply stops in between, the next one does the rest; when
// ctx is done, the error says how far it is.
func (a *Applier) Apply(ctx context.Context, objects *registry.Objects, observer Observer) (*Plan, error) {
	sources, functions, err := a.complete(ctx, objects)
	if err != nil {
		return nil, Stopped(ctx, err)
	}
	run := &run{Applier: a, objects: objects, record: a.records() + "/" + uuid.NewString()}
	var shown *Plan
	for range planTries {
		p, left, err := a.plan(ctx, objects)
		if err != nil {
			return nil, Stopped(ctx, err)
		}
		p.Sources, p.Functions = sources, functions
		if p.Refused != nil {
			return p, p.Refused
		}
		if observer.Planned != nil && (shown == nil || !reflect.DeepEqual(p, shown)) {
			observer.Planned(p)
		}
		shown = p
		switch err := run.execute(ctx, p, left); {
		case err == nil:
			return p, nil
		case !errors.Is(err, errOutdated):
			return p, Stopped(ctx, err)
		}
	}
	return shown, fault.New(fault.Conflict, "other writers have changed project %s %d times while this change was made; nothing of it is saved, run it again", a.opt.Project, planTries)
}

// Stopped is the error of an apply that ctx has ended before it changed anything, or err
// if it is another one or says what is done.
func Stopped(ctx context.Context, err error) error { return stopped(ctx, err, "nothing is changed") }

// stopped says that ctx has ended an apply, and what is done. It does not wrap err, whose
// text would be that of a part.
func stopped(ctx context.Context, err error, done string) error {
	if err == nil || ctx.Err() == nil || fault.KindOf(err) != fault.KindOf(ctx.Err()) || strings.HasPrefix(fault.Of(err).Text, "stopped") {
		return err
	}
	return fault.New(fault.KindOf(ctx.Err()), "stopped; %s", done)
}

// run is one call of Apply.
type run struct {
	*Applier
	objects *registry.Objects
	record  string // the name of the record of the tables that it has to drop
}

// execute makes the changes of a plan. left are the records of earlier applies whose
// tables the plan drops or keeps.
func (r *run) execute(ctx context.Context, p *Plan, left []string) error {
	r.warn(ctx, p.Findings)
	makes := slices.DeleteFunc(slices.Clone(p.Tables), func(c stores.Change) bool { return c.Action == stores.Drop })
	if err := r.do(ctx, makes); err != nil {
		return stopped(ctx, err, "not every table is made, and the registry is not changed; run the same apply again")
	}
	saved, err := r.save(ctx, p)
	if err != nil {
		if len(makes) == 0 {
			return Stopped(ctx, err)
		}
		return stopped(ctx, err, "the tables are made, but the registry is not changed; run the same apply again")
	}
	tables := slices.Clone(p.Drop) // also those that are not there: another apply may be making them
	for _, spec := range saved.added {
		tables = append(tables, spec.Table)
	}
	if err := r.settle(ctx, tables); err != nil {
		return unfinished(ctx, err, p.Tables)
	}
	return r.forget(ctx, append(left, r.record))
}

// save records the tables to drop and saves the registry, if it is still the one of the
// plan.
func (r *run) save(ctx context.Context, p *Plan) (*desired, error) {
	if err := r.remember(ctx, p.Drop); err != nil {
		return nil, err
	}
	var saved *desired
	_, err := registry.Update(ctx, r.opt.Storage, func(reg *core.Registry) error {
		d, err := r.next(reg, r.objects)
		if err != nil {
			return err
		}
		if !d.planned(p) {
			return errOutdated
		}
		saved = d
		if len(d.changes) == 0 {
			return registry.ErrNoChange
		}
		proto.Reset(reg)
		proto.Merge(reg, d.registry)
		return nil
	})
	return saved, err
}

// planned reports whether a plan has these changes and tables. A storage may return the
// objects of a registry in another order each time.
func (d *desired) planned(p *Plan) bool {
	byTable := func(a, b stores.TableSpec) int {
		return cmp.Or(strings.Compare(a.Table.View, b.Table.View), cmp.Compare(a.Table.Version, b.Table.Version))
	}
	byName := func(a, b registry.Change) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	}
	return reflect.DeepEqual(slices.SortedFunc(slices.Values(d.keep), byTable), slices.SortedFunc(slices.Values(p.Keep), byTable)) &&
		reflect.DeepEqual(slices.SortedFunc(slices.Values(d.changes), byName), slices.SortedFunc(slices.Values(p.Changes), byName))
}

// settleTries is how often an apply looks again whether its tables are those that the
// registry lists.
const settleTries = 10

// settle drops the tables that the stored registry does not list, and makes those that it
// lists and that another apply has dropped. It reads the registry right before it changes
// tables, and again after it, since another apply may have saved in that moment. As each
// apply does so after its own save, the one that is last leaves the right tables.
func (r *run) settle(ctx context.Context, tables []stores.Table) error {
	if r.opt.Online == nil || len(tables) == 0 {
		return nil
	}
	for range settleTries {
		listed, err := r.listed(ctx)
		if err != nil {
			return err
		}
		var want stores.Tables
		for _, t := range tables {
			if spec, ok := listed[t]; ok {
				want.Keep = append(want.Keep, spec)
			} else {
				want.Drop = append(want.Drop, t)
			}
		}
		p, err := r.opt.Online.Plan(ctx, want)
		if err != nil {
			return err
		}
		changes := slices.DeleteFunc(p.Changes, func(c stores.Change) bool { return c.Action == stores.Alter })
		if len(changes) == 0 {
			return nil
		}
		if err := r.again(ctx, changes, tables); err != nil {
			return err
		}
		if err := r.do(ctx, changes); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "other applies keep changing the same views")
}

// again reports the tables that are made again. They are recorded as tables to drop, too:
// if this apply is stopped, the next one drops those whose view has been removed again.
func (r *run) again(ctx context.Context, changes []stores.Change, tables []stores.Table) error {
	found := false
	for _, c := range changes {
		if c.Action == stores.Create {
			found = true
			r.opt.Log.WarnContext(ctx, "another apply has dropped this table while its view was defined again; it is made again, without rows", slog.String("table", c.Name))
		}
	}
	if !found {
		return nil
	}
	return r.remember(ctx, tables)
}

// listed are the tables of the project that the stored registry lists.
func (r *run) listed(ctx context.Context) (map[stores.Table]stores.TableSpec, error) {
	reg, err := r.current(ctx)
	if err != nil {
		return nil, err
	}
	all, err := r.tables(reg)
	if err != nil {
		return nil, err
	}
	out := map[stores.Table]stores.TableSpec{}
	for _, spec := range all {
		if spec.Table.Project == r.opt.Project {
			out[spec.Table] = spec
		}
	}
	return out, nil
}

// unfinished says that everything is saved and only tables are left.
func unfinished(ctx context.Context, err error, changes []stores.Change) error {
	what := "perhaps not every table of a new feature view is there"
	var drops []string
	for _, c := range changes {
		if c.Action == stores.Drop {
			drops = append(drops, c.Name)
		}
	}
	if len(drops) > 0 {
		what = "not every table of a deleted feature view is dropped (" + listed(drops) + ")"
	}
	if ctx.Err() != nil {
		return fault.New(fault.KindOf(ctx.Err()), "stopped; the registry is saved, but %s; run the same apply again", what)
	}
	f := fault.Of(err)
	return fault.New(f.Kind, "the registry is saved, but %s: %s\nrun the same apply again", what, f.Text).Because(err)
}

func (a *Applier) do(ctx context.Context, changes []stores.Change) error {
	if a.opt.Online == nil || len(changes) == 0 {
		return nil
	}
	findings, err := a.opt.Online.Do(ctx, changes)
	a.warn(ctx, findings)
	return err
}

func (a *Applier) warn(ctx context.Context, findings []stores.Finding) {
	for _, f := range findings {
		a.opt.Log.WarnContext(ctx, f.Text, slog.String("view", f.Table.View))
	}
}

// records begins the names of the records of tables that an apply must still drop. Each
// apply has its own record, so that two at the same time keep both.
func (a *Applier) records() string { return "drop/" + registry.RecordPart(a.opt.Project) }

// remember records the tables that must be dropped once the registry is saved: after
// that, nothing else knows of them.
func (r *run) remember(ctx context.Context, tables []stores.Table) error {
	if r.opt.Records == nil || len(tables) == 0 {
		return nil
	}
	data, err := json.Marshal(tables)
	if err != nil {
		return fault.New(fault.Internal, "the tables to drop cannot be recorded").Because(err)
	}
	err = r.opt.Records.Put(ctx, r.record, data)
	if fault.KindOf(err) == fault.Denied && err != nil {
		r.opt.Log.WarnContext(ctx, "the tables to drop cannot be recorded beside the registry; if this apply is stopped now, they stay", slog.String("reason", fault.Of(err).Text))
		return nil
	}
	return err
}

// forget removes records whose tables are dropped.
func (r *run) forget(ctx context.Context, names []string) error {
	if r.opt.Records == nil {
		return nil
	}
	for _, name := range names {
		left, err := r.opt.Records.Get(ctx, name)
		if err == nil && left != nil {
			err = r.opt.Records.Put(ctx, name, nil) // a record that is there may be written
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leftovers are the tables that earlier applies have recorded and perhaps not dropped,
// and the names of their records.
func (a *Applier) leftovers(ctx context.Context) (tables []stores.Table, names []string, err error) {
	if a.opt.Records == nil {
		return nil, nil, nil
	}
	found, err := a.opt.Records.List(ctx, a.records())
	if err != nil {
		return nil, nil, err
	}
	for _, name := range found {
		if name != a.records() && !strings.HasPrefix(name, a.records()+"/") {
			continue // of a project whose name begins alike
		}
		data, err := a.opt.Records.Get(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		var more []stores.Table
		if err := json.Unmarshal(data, &more); err != nil && data != nil {
			a.opt.Log.WarnContext(ctx, "the record of tables to drop cannot be read; it is ignored", slog.String("record", name))
		}
		for _, t := range more {
			if t.Project == a.opt.Project && !slices.Contains(tables, t) {
				tables = append(tables, t)
			}
		}
		names = append(names, name)
	}
	return tables, names, nil
}
