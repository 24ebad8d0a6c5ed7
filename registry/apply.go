package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Action says what an apply does to an object.
type Action uint8

// The actions of an apply.
const (
	Created Action = iota
	Updated
	Deleted
)

// String is the word that Feast's plan prints.
func (a Action) String() string { return [...]string{"Created", "Updated", "Deleted"}[a] }

// Change is what an apply does to one object.
type Change struct {
	Action Action
	// Kind is the kind of the object: "feature view", "entity", …
	Kind, Name string
	// Quiet changes are not printed in a plan: data sources and the dummy entity.
	Quiet  bool
	Fields []FieldChange
}

// FieldChange is one field of an updated object, as text.
type FieldChange struct {
	Field, Old, New string
}

// Changes is what an apply does to a registry.
type Changes []Change

// Apply replaces the objects of a project in the registry by the given ones, by
// Feast's rules, and returns the changes. Objects of other projects do not change,
// nor does an object whose definition is the same.
//
// An object keeps the fields that this program does not know, at any depth, since a
// definition cannot name them. A changed object keeps its created time. A feature view whose schema is
// unchanged keeps its state, its version and its materialization intervals. One
// with a new schema keeps the intervals, has no state at first, and gets a record in
// the version history.
func Apply(reg *core.Registry, project string, objects Objects, now time.Time) (Changes, error) {
	if err := checkNames(project, objects); err != nil {
		return nil, err
	}
	a := applier{reg: reg.ProtoReflect(), registry: reg, project: project, now: now, unreadable: objects.Unreadable, pickles: objects.Pickles, noPromote: objects.NoPromote, later: objects.Later}
	var err error
	if objects.FeatureServices, err = a.resolveServices(objects); err != nil {
		return nil, err
	}
	for _, k := range kinds() {
		next := a.definitions(k, objects)
		if err := a.kind(k, next); err != nil {
			return nil, err
		}
	}
	if len(a.changes) > 0 && reg.RegistrySchemaVersion == "" {
		reg.RegistrySchemaVersion = SchemaVersion
	}
	return a.changes, nil
}

type applier struct {
	reg      protoreflect.Message
	registry *core.Registry
	project  string
	now      time.Time
	changes  Changes
	// unreadable has the errors of views whose function needs a pickle, by name.
	unreadable map[string]error
	pickles    map[string][]byte // of functions, by the name of the view
	noPromote  bool
	later      bool // the definitions have all fields that their Feast knows
	// single says that one object is put, which may have times of its own.
	single bool
}

// definitions lists the objects of a kind that the repository defines.
func (a *applier) definitions(k kind, o Objects) []object {
	var list []object
	first := map[string]object{}
	add := func(m proto.Message) {
		next := objectOf(m)
		other, ok := first[next.name()]
		if ok && k.repeats && other.same(next) {
			return
		}
		first[next.name()] = next
		list = append(list, next)
	}
	switch k.list {
	case "projects":
		p := o.Project
		if p == nil {
			p = &core.Project{Spec: &core.ProjectSpec{Name: a.project}}
		}
		add(p)
	case "data_sources":
		each(o.DataSources, add)
	case "entities":
		each(o.Entities, add)
		if !slices.ContainsFunc(o.Entities, func(e *core.Entity) bool { return e.GetSpec().GetName() == DummyEntity }) {
			add(&core.Entity{Spec: &core.EntitySpecV2{Name: DummyEntity, JoinKey: DummyKey}})
		}
	case "feature_views":
		each(o.FeatureViews, add)
	case "stream_feature_views":
		each(o.StreamFeatureViews, add)
	case "on_demand_feature_views":
		each(o.OnDemandFeatureViews, add)
	case "label_views":
		each(o.LabelViews, add)
	case "feature_services":
		each(o.FeatureServices, add)
	case "permissions":
		each(o.Permissions, add)
	}
	return list
}

func each[M proto.Message](list []M, add func(proto.Message)) {
	for _, m := range list {
		add(m)
	}
}

// kind applies the definitions of one kind to the registry's list.
func (a *applier) kind(k kind, defined []object) error {
	for _, next := range defined {
		if err := a.put(k, object{proto.Clone(next.m.Interface()).ProtoReflect()}); err != nil {
			return err
		}
	}
	if k.list == "projects" {
		return nil
	}
	a.prune(k, a.list(k.list), defined)
	return nil
}

// put creates an object, or replaces the one of its name.
func (a *applier) put(k kind, next object) error {
	list := a.list(k.list)
	next.setProject(a.project)
	if k.list != "data_sources" {
		a.dateSources(next.m)
	}
	if at := find(list, a.project, next.name()); at >= 0 {
		return a.update(k, list, at, next)
	}
	return a.create(k, list, next)
}

// dateSources gives the data sources within an object the times that the registry has
// for them, as Feast does.
func (a *applier) dateSources(m protoreflect.Message) {
	if s, ok := m.Interface().(*core.DataSource); ok && s.GetMeta() == nil {
		at := slices.IndexFunc(a.registry.GetDataSources(), func(o *core.DataSource) bool {
			return o.GetName() == s.GetName() && o.GetProject() == a.project
		})
		if at >= 0 {
			s.Meta, _ = withoutUnknown(a.registry.GetDataSources()[at].GetMeta().ProtoReflect()).(*core.DataSource_SourceMeta)
		}
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				a.dateSources(v.List().Get(i).Message())
			}
		default:
			a.dateSources(v.Message())
		}
		return true
	})
}

func find(list protoreflect.List, project, name string) int {
	for i := range list.Len() {
		o := object{list.Get(i).Message()}
		if o.name() == name && o.project() == project {
			return i
		}
	}
	return -1
}

func (a *applier) create(k kind, list protoreflect.List, next object) error {
	var created *timestamppb.Timestamp
	if a.single {
		created = next.created()
	}
	next.stamp(created, a.now)
	if k.history != "" {
		if err := a.readable(next); err != nil {
			return err
		}
		if err := a.firstVersion(k, next); err != nil {
			return err
		}
	}
	list.Append(protoreflect.ValueOfMessage(next.m))
	a.note(k, Created, next.name(), nil)
	return nil
}

func (a *applier) update(k kind, list protoreflect.List, at int, next object) error {
	old := object{list.Get(at).Message()}
	keepPickles(next, old)
	if k.history != "" {
		if err := a.readable(next); err != nil {
			return err
		}
		restored, err := a.pinned(k, old, next)
		if err != nil {
			return err
		}
		if restored.m != nil {
			next = restored
		}
	}
	a.keepUnknown(next, old)
	if old.same(next) {
		// Not a change of the definition: the source text of a function is the same, but
		// a value that it uses from its module may have changed.
		if renewed, moved := renewPickles(next, old), takeState(old, next); renewed || moved {
			old.stamp(old.created(), a.now)
			a.changes = append(a.changes, Change{Action: Updated, Kind: k.noun, Name: next.name(), Quiet: true})
		}
		return nil
	}
	if a.noPromote && k.history != "" && pin(next) < 0 && !k.sameSchema(old, next) {
		return a.recordOnly(k, old, next)
	}
	fields := fieldChanges(old, next)
	if k.history != "" {
		if err := a.updateView(k, old, next); err != nil {
			return err
		}
	}
	next.stamp(old.created(), a.now)
	if k.list == "saved_datasets" { // the rows are the same
		copyField(next.meta(), old.meta(), "min_event_timestamp")
		copyField(next.meta(), old.meta(), "max_event_timestamp")
	}
	list.Set(at, protoreflect.ValueOfMessage(next.m))
	a.note(k, Updated, next.name(), fields)
	return nil
}

// keepUnknown keeps the fields of the stored object that this program does not know. A
// later Feast's definition has its own, but for those of the meta message.
func (a *applier) keepUnknown(next, old object) {
	if !a.later {
		keepUnknown(next.m, old.m)
		return
	}
	if meta, ok := old.part("meta"); ok && hasUnknown(meta) {
		keepUnknown(next.meta(), meta)
	}
}

// readable refuses a view that would make every command of Feast fail: its function
// has no pickle, and Feast cannot load it from the source text. If there is a
// substitute for the pickle, the view gets it.
func (a *applier) readable(view object) error {
	t := transformation(view)
	if t == nil || len(t.GetBody()) > 0 {
		return nil
	}
	t.Body = a.pickles[view.name()]
	if s, ok := view.m.Interface().(*core.StreamFeatureView); ok && s.GetSpec().GetUserDefinedFunction() != nil {
		s.Spec.UserDefinedFunction.Body = t.GetBody()
	}
	return a.unreadable[view.name()]
}

// prune removes objects that the repository no longer defines.
func (a *applier) prune(k kind, list protoreflect.List, defined []object) {
	names := map[string]bool{}
	for _, d := range defined {
		names[d.name()] = true
	}
	kept := 0
	for i := range list.Len() {
		o := object{list.Get(i).Message()}
		if o.project() == a.project && !names[o.name()] {
			a.note(k, Deleted, o.name(), nil)
			if k.history != "" {
				a.dropHistory(k, o.name())
			}
			continue
		}
		list.Set(kept, list.Get(i))
		kept++
	}
	list.Truncate(kept)
}

func (a *applier) note(k kind, action Action, name string, fields []FieldChange) {
	a.changes = append(a.changes, Change{
		Action: action, Kind: k.noun, Name: name, Quiet: k.quiet || name == DummyEntity, Fields: fields,
	})
}

// checkNames refuses what Feast refuses: names that cannot be part of a feature
// reference, feature views and data sources whose names differ only in case, and versions
// of views that are none.
func checkNames(project string, o Objects) error {
	seen := map[string]string{}
	for _, k := range kinds() {
		if k.history == "" {
			continue
		}
		for _, v := range (&applier{project: project}).definitions(k, o) {
			if err := checkView(k, v, project); err != nil {
				return err
			}
			name := strings.ToLower(v.name())
			if other, ok := seen[name]; ok {
				return fault.New(fault.Invalid, "feature views %s and %s have names that differ only in case; feature view names must be case-insensitively unique", other, v.name()).
					About("feature view", v.name(), project)
			}
			seen[name] = v.name()
		}
	}
	return cmp.Or(checkTwice(project, o), checkSources(project, o))
}

// checkSources refuses data sources whose names differ only in case.
func checkSources(project string, o Objects) error {
	seen := map[string]string{}
	for _, s := range o.DataSources {
		name := strings.ToLower(s.GetName())
		if other, ok := seen[name]; ok {
			return fault.New(fault.Invalid, "data sources %s and %s have names that differ only in case; data source names must be case-insensitively unique", other, s.GetName()).
				About("data source", s.GetName(), project)
		}
		seen[name] = s.GetName()
	}
	return nil
}

// checkView refuses a view's name that cannot be part of a feature reference, and a
// version that is none.
func checkView(k kind, view object, project string) error {
	name := view.name()
	if strings.ContainsAny(name, "@:") {
		return fault.New(fault.Invalid, "%s name %q must not contain '@' or ':'", strings.ReplaceAll(k.noun, "on demand", "on-demand"), name).About("feature view", name, project)
	}
	if _, err := ParseVersion(text(view.spec(), "version")); err != nil {
		return fault.New(fault.Invalid, "%s %s: %s", k.noun, name, err).About("feature view", name, project)
	}
	return nil
}

// checkTwice refuses two objects with the same kind and name.
func checkTwice(project string, o Objects) error {
	a := applier{project: project}
	for _, k := range kinds() {
		seen := map[string]bool{}
		for _, d := range a.definitions(k, o) {
			name := d.name()
			if name == "" {
				return fault.New(fault.Invalid, "every %s needs a name", k.noun)
			}
			if seen[name] {
				return fault.New(fault.Invalid, "%s %s is defined twice", k.noun, name).About(k.noun, name, project)
			}
			seen[name] = true
		}
	}
	return nil
}
