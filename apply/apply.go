// Package apply writes the definitions of a feature repository to the registry and the
// online store: plan shows the changes, apply makes them.
package apply

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/transform"
)

// Options configure an Applier.
type Options struct {
	Storage  registry.Storage
	Registry registry.Options
	Project  string
	// Online creates and removes tables; nil if there is no online store.
	Online stores.Admin
	// SQLite is the path of the online store for the list of its tables in the registry;
	// empty for other stores, whose tables Feast does not list.
	SQLite string
	// Columns returns the columns of sources, for inference.
	Columns Columns
	// Locate finds the text of a function in the repository: the file and the first line, or
	// an empty file. It may be nil.
	Locate func(text string) (file string, line int)
	// Places are the places, file:line, of views with expressions, and of their expressions
	// as view:feature.
	Places map[string]string
	// Functions computes functions that banquet does not compile; nil if nothing does.
	Functions transform.Service
	// SkipSources leaves out the check of data sources.
	SkipSources bool
	// Records remembers which tables an apply must still drop; nil forgets them when an
	// apply stops before it has dropped them.
	Records registry.Records
	Log     *slog.Logger
	// Passed lists what the reader of definitions has skipped, one line each. Objects may
	// be missing then: nothing is deleted without AllowDeletions.
	Passed         []string
	AllowDeletions bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Applier plans and applies the definitions of one project.
type Applier struct {
	opt Options
}

// New makes an Applier.
func New(opt Options) *Applier {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Applier{opt: opt}
}

// Plan is what an apply would do.
type Plan struct {
	// Changes of the registry.
	Changes registry.Changes
	// Keep are the tables of the project.
	Keep []stores.TableSpec
	// Drop are the tables that the project does not have any more.
	Drop []stores.Table
	// Tables are the changes of tables, each of which is a change of the online store.
	Tables []stores.Change
	// Findings are the findings of the online store.
	Findings []stores.Finding
	// Sources are the problems of data sources (see Sources). They stop nothing: a file or
	// a table may be written later.
	Sources []error
	// Functions are the on-demand views that banquet cannot compute. They stop nothing: Feast
	// can.
	Functions []error
	// Indexes are those that training sets lack; only Plan looks for them.
	Indexes []Index
	// Refused is the error with which an apply would stop although the definitions are
	// valid; nil if it would not.
	Refused error
}

// Nothing reports whether an apply would change nothing.
func (p *Plan) Nothing() bool { return len(p.Changes) == 0 && len(p.Tables) == 0 }

// Plan returns what applying the objects would change. It writes nothing, but it
// completes the objects from their sources.
func (a *Applier) Plan(ctx context.Context, objects *registry.Objects) (*Plan, error) {
	sources, functions, err := a.complete(ctx, objects)
	if err != nil {
		return nil, err
	}
	p, _, err := a.plan(ctx, objects)
	if err != nil {
		return nil, err
	}
	p.Sources, p.Functions = sources, functions
	if indexer, ok := a.opt.Columns.(Indexer); ok && !a.opt.SkipSources && len(sources) == 0 {
		ctx, cancel := context.WithTimeout(ctx, sourcesTime)
		defer cancel()
		p.Indexes = Indexes(ctx, objects, indexer)
	}
	return p, nil
}

// sourcesTime bounds the check of sources, without which an apply works, too.
const sourcesTime = 5 * time.Second

// complete completes the objects from their sources, and checks these and the functions of
// on-demand views.
func (a *Applier) complete(ctx context.Context, objects *registry.Objects) (sources, functions []error, err error) {
	if err := Infer(ctx, objects, a.opt.Columns); err != nil {
		return nil, nil, err
	}
	functions, err = a.functions(objects)
	if err != nil || a.opt.SkipSources || a.opt.Columns == nil {
		return nil, functions, err
	}
	ctx, cancel := context.WithTimeout(ctx, sourcesTime)
	defer cancel()
	return Sources(ctx, objects, a.opt.Columns), functions, nil
}

// plan plans against the stored registry and the tables that there are. left are the
// records of earlier applies that it takes into account.
func (a *Applier) plan(ctx context.Context, objects *registry.Objects) (p *Plan, left []string, err error) {
	reg, err := a.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	d, err := a.next(reg, objects)
	if err != nil {
		return nil, nil, err
	}
	p = &Plan{Changes: d.changes, Keep: d.keep, Drop: d.drop}
	tables, left, err := a.leftovers(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range tables {
		if !d.has(t) && !slices.Contains(p.Drop, t) {
			p.Drop = append(p.Drop, t)
		}
	}
	if a.opt.Online != nil {
		tables, err := a.opt.Online.Plan(ctx, stores.Tables{Keep: d.keep, Drop: p.Drop, Others: d.others})
		if err != nil {
			return nil, nil, err
		}
		p.Tables, p.Findings = tables.Changes, tables.Findings
	}
	p.Refused = a.refusal(p, objects.Empty())
	if p.Refused == nil && len(p.Changes) > 0 {
		p.Refused = a.opt.Storage.Writable(ctx)
	}
	if err := ctx.Err(); err != nil { // not a refusal
		return nil, nil, fault.Of(err)
	}
	return p, left, nil
}

// current is the stored registry, empty if there is none yet.
func (a *Applier) current(ctx context.Context) (*core.Registry, error) {
	reg, _, err := a.opt.Storage.Load(ctx)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return &core.Registry{RegistrySchemaVersion: registry.SchemaVersion}, nil
	}
	return reg, err
}

// desired is what objects make of a registry.
type desired struct {
	registry *core.Registry
	changes  registry.Changes
	// keep and drop are tables of the project, others those of other projects. added are
	// those of keep that the registry did not list.
	keep, added, others []stores.TableSpec
	drop                []stores.Table
}

// has reports whether a table is one of the project.
func (d *desired) has(t stores.Table) bool {
	return slices.ContainsFunc(d.keep, func(s stores.TableSpec) bool { return s.Table == t })
}

// next computes the next registry and its tables. It asks no one.
func (a *Applier) next(reg *core.Registry, objects *registry.Objects) (*desired, error) {
	next, _ := proto.Clone(reg).(*core.Registry)
	changes, err := registry.Apply(next, a.opt.Project, *objects, a.opt.Now())
	if err != nil {
		return nil, err
	}
	a.recordInfra(next)
	d := &desired{registry: next, changes: changes}
	before, err := a.tables(reg)
	if err != nil {
		return nil, err
	}
	after, err := a.tables(next)
	if err != nil {
		return nil, err
	}
	for _, spec := range after {
		if spec.Table.Project != a.opt.Project {
			d.others = append(d.others, spec)
			continue
		}
		d.keep = append(d.keep, spec)
		if !slices.ContainsFunc(before, func(s stores.TableSpec) bool { return s.Table == spec.Table }) {
			d.added = append(d.added, spec)
		}
	}
	for _, spec := range before {
		kept := slices.ContainsFunc(d.keep, func(s stores.TableSpec) bool { return s.Table.View == spec.Table.View })
		if !kept && spec.Table.Project == a.opt.Project {
			d.drop = append(d.drop, spec.Table)
		}
	}
	return d, nil
}

// refusal is the error of a plan that must not be applied; nil if it may be applied.
func (a *Applier) refusal(p *Plan, empty bool) error {
	if err := refused(p.Findings); err != nil {
		return err
	}
	if a.opt.AllowDeletions || len(a.opt.Passed) == 0 && !empty {
		return nil
	}
	var gone []string
	for _, c := range p.Changes {
		if c.Action == registry.Deleted && c.Name != registry.DummyEntity {
			gone = append(gone, c.Kind+" "+c.Name)
		}
	}
	for _, t := range p.Drop {
		gone = append(gone, "the online table of "+t.VersionedName())
	}
	switch {
	case len(gone) == 0:
		return nil
	case empty:
		return fault.New(fault.Invalid, "this would delete %s: the repository defines nothing at all\nrestore its files, or confirm the deletions with --allow-deletions", listed(gone))
	}
	return fault.New(fault.Invalid, "this would delete %s, perhaps only because parts of the repository were passed over:\n%s\nrewrite these parts so that they can be read, or confirm the deletions with --allow-deletions",
		listed(gone), listed(a.opt.Passed))
}

// maxListed bounds how many names an error lists.
const maxListed = 5

func listed(names []string) string {
	if len(names) > maxListed {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

// tables lists the online tables of all projects in a registry: those of other
// projects are only checked for collisions.
func (a *Applier) tables(reg *core.Registry) ([]stores.TableSpec, error) {
	snapshot, err := registry.OpenSnapshot(reg, a.opt.Registry)
	if err != nil {
		return nil, err
	}
	var specs []stores.TableSpec
	for _, name := range snapshot.Projects() {
		project, err := snapshot.Project(name)
		if err != nil {
			return nil, err
		}
		for _, v := range project.Views() {
			if v.Kind == registry.OnDemandView && !v.Online {
				continue
			}
			spec := stores.TableSpec{Table: stores.Table{Project: name, View: v.Name, Version: v.TableVersion}, Tags: v.Tags}
			for _, f := range v.Features {
				spec.Features = append(spec.Features, stores.Feature{Name: f.Name, Type: f.Type.String()})
			}
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

// refused joins all findings that stop an apply into one error.
func refused(findings []stores.Finding) error {
	var texts []string
	for _, f := range findings {
		if f.Refused {
			texts = append(texts, f.Text)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", strings.Join(texts, "\n"))
}
