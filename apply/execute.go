package apply

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"

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
// stored registry lists. If an apply stops in between, the next one does the rest.
func (a *Applier) Apply(ctx context.Context, objects *registry.Objects, observer Observer) (*Plan, error) {
	sources, err := a.complete(ctx, objects)
	if err != nil {
		return nil, err
	}
	var shown *Plan
	for range planTries {
		p, err := a.plan(ctx, objects)
		if err != nil {
			return nil, err
		}
		p.Sources = sources
		if p.Refused != nil {
			return p, p.Refused
		}
		if observer.Planned != nil && (shown == nil || !reflect.DeepEqual(p, shown)) {
			observer.Planned(p)
		}
		shown = p
		switch err := a.execute(ctx, objects, p); {
		case err == nil:
			return p, nil
		case !errors.Is(err, errOutdated):
			return p, err
		}
	}
	return shown, fault.New(fault.Conflict, "other writers have changed project %s %d times while this change was made; nothing of it is saved, run it again", a.opt.Project, planTries)
}

// execute makes the changes of a plan.
func (a *Applier) execute(ctx context.Context, objects *registry.Objects, p *Plan) error {
	a.warn(ctx, p.Findings)
	var makes, drops []stores.Change
	for _, c := range p.Tables {
		if c.Action == stores.Drop {
			drops = append(drops, c)
		} else {
			makes = append(makes, c)
		}
	}
	if err := a.do(ctx, makes); err != nil {
		return err
	}
	if err := a.remember(ctx, drops); err != nil {
		return err
	}
	var saved *desired
	_, err := registry.Update(ctx, a.opt.Storage, func(reg *core.Registry) error {
		d, err := a.next(reg, objects)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(d.keep, p.Keep) || !reflect.DeepEqual(d.changes, p.Changes) {
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
	if err != nil {
		return err
	}
	drops = slices.DeleteFunc(drops, func(c stores.Change) bool { return saved.has(c.Spec.Table) })
	if err := a.do(ctx, drops); err != nil {
		return dropFault(err, drops)
	}
	return a.remember(ctx, nil)
}

// dropFault says that everything is saved and only tables are left.
func dropFault(err error, drops []stores.Change) error {
	names := make([]string, 0, len(drops))
	for _, c := range drops {
		names = append(names, c.Name)
	}
	f := fault.Of(err)
	return fault.New(f.Kind, "the registry is saved, but not every table of a deleted feature view could be dropped (%s): %s\nrun the same apply again to drop them", listed(names), f.Text).Because(err)
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

// record is the name of the record of the tables that must still be dropped.
func (a *Applier) record() string { return "drop/" + registry.RecordPart(a.opt.Project) }

// remember records the tables that must be dropped once the registry is saved: after
// that, nothing else knows of them.
func (a *Applier) remember(ctx context.Context, drops []stores.Change) error {
	if a.opt.Records == nil {
		return nil
	}
	if len(drops) == 0 {
		left, err := a.opt.Records.Get(ctx, a.record())
		if err != nil || left == nil {
			return err
		}
		return a.opt.Records.Put(ctx, a.record(), nil) // a record that is there may be written
	}
	tables := make([]stores.Table, 0, len(drops))
	for _, c := range drops {
		tables = append(tables, c.Spec.Table)
	}
	data, err := json.Marshal(tables)
	if err != nil {
		return fault.New(fault.Internal, "the tables to drop cannot be recorded").Because(err)
	}
	err = a.opt.Records.Put(ctx, a.record(), data)
	if fault.KindOf(err) == fault.Denied && err != nil {
		a.opt.Log.WarnContext(ctx, "the tables to drop cannot be recorded beside the registry; if this apply is stopped now, they stay", slog.String("reason", fault.Of(err).Text))
		return nil
	}
	return err
}

// leftovers are the tables that an earlier apply has recorded and perhaps not dropped.
func (a *Applier) leftovers(ctx context.Context) ([]stores.Table, error) {
	if a.opt.Records == nil {
		return nil, nil
	}
	data, err := a.opt.Records.Get(ctx, a.record())
	if err != nil || data == nil {
		return nil, err
	}
	var tables []stores.Table
	if err := json.Unmarshal(data, &tables); err != nil {
		a.opt.Log.WarnContext(ctx, "the record of tables to drop cannot be read; it is ignored", slog.String("record", a.record()))
		return nil, nil //nolint:nilerr // a damaged record must not stop an apply
	}
	return slices.DeleteFunc(tables, func(t stores.Table) bool { return t.Project != a.opt.Project }), nil
}
