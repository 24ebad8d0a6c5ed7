package registry

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Kind is a kind of objects whose names are unique within a project.
type Kind string

// The kinds. Batch, stream, on-demand and label views share their names, and are one.
const (
	KindProject             Kind = "Project"
	KindEntity              Kind = "Entity"
	KindDataSource          Kind = "Data source"
	KindFeatureView         Kind = "Feature view"
	KindFeatureService      Kind = "Feature service"
	KindSavedDataset        Kind = "Saved dataset"
	KindValidationReference Kind = "Validation reference"
	KindPermission          Kind = "Permission"
)

// lists are the lists of a registry that have objects of a kind.
func (k Kind) lists() []kind {
	var found []kind
	for _, l := range everyKind() {
		if l.kind() == k {
			found = append(found, l)
		}
	}
	return found
}

// kind is the kind of the objects of a list.
func (k kind) kind() Kind {
	if k.history != "" {
		return KindFeatureView
	}
	return Kind(strings.ToUpper(k.noun[:1]) + k.noun[1:])
}

// everyKind lists the kinds of a feature repository, and those that only a client of the
// registry makes: Apply does not delete them.
func everyKind() []kind {
	return append(kinds(), kind{list: "saved_datasets", noun: "saved dataset"}, kind{list: "validation_references", noun: "validation reference"})
}

// Put creates an object of a project, or replaces the one of the same kind and name, by
// the rules of Apply, and returns the changes: none if the definition is the same.
//
//   - A project that does not exist is created.
//   - A new object keeps the created time that it has; a replaced one keeps the old one.
//     A saved dataset keeps the times of its rows.
//   - The name of a feature view must not be that of a view of another kind, and must not
//     differ from that of another view in case only: Conflict.
//   - What an object refers to need not exist: clients of Feast write views before their
//     entities.
//   - Tables of the online store, and their list in the registry, do not change.
//
// Put changes reg also if it fails: call it within Update, which then saves nothing.
func Put(reg *core.Registry, project string, m proto.Message, now time.Time) (Changes, error) {
	next := objectOf(proto.Clone(m))
	k, ok := kindOf(next)
	if !ok {
		return nil, fault.New(fault.Internal, "a registry has no objects of type %s", m.ProtoReflect().Descriptor().FullName())
	}
	a := applier{reg: reg.ProtoReflect(), registry: reg, project: project, now: now, single: true}
	if err := a.checkName(k, next); err != nil {
		return nil, err
	}
	if k.list != "projects" {
		if err := a.ensureProject(); err != nil {
			return nil, err
		}
	}
	if s, ok := next.m.Interface().(*core.DataSource); ok && s.GetDataSourceClassType() == "" {
		s.DataSourceClassType = classOf(s.GetType())
	}
	if err := a.put(k, next); err != nil {
		return nil, err
	}
	if len(a.changes) > 0 && reg.RegistrySchemaVersion == "" {
		reg.RegistrySchemaVersion = SchemaVersion
	}
	return a.changes, nil
}

// kindOf finds the list that has objects of a message's type.
func kindOf(o object) (kind, bool) {
	for _, k := range everyKind() {
		if listField(string(k.list)).Message() == o.m.Descriptor() {
			return k, true
		}
	}
	return kind{}, false
}

// list is a list of the registry.
func (a *applier) list(name protoreflect.Name) protoreflect.List {
	return a.reg.Mutable(a.reg.Descriptor().Fields().ByName(name)).List()
}

// checkName checks the name of an object that is put.
func (a *applier) checkName(k kind, next object) error {
	name := next.name()
	switch {
	case name == "":
		return fault.New(fault.Invalid, "every %s needs a name", k.noun)
	case k.list == "projects" && name != a.project:
		return fault.New(fault.Invalid, "project %s cannot be written as project %s", name, a.project).About("project", name, a.project)
	case k.history == "":
		return nil
	}
	if err := checkView(k, next, a.project); err != nil {
		return err
	}
	for _, other := range KindFeatureView.lists() {
		list := a.list(other.list)
		if other.list != k.list && find(list, a.project, name) >= 0 {
			return fault.New(fault.Conflict, "The feature view name: %s refers to feature views of different types.", name).About("feature view", name, a.project)
		}
		for i := range list.Len() {
			if o := (object{list.Get(i).Message()}); o.project() == a.project && o.name() != name && strings.EqualFold(o.name(), name) {
				return fault.New(fault.Conflict, "feature views %s and %s would have names that differ only in case; delete %[1]s first", o.name(), name).About("feature view", name, a.project)
			}
		}
	}
	return nil
}

// ensureProject creates the project unless it exists.
func (a *applier) ensureProject() error {
	if find(a.list("projects"), a.project, a.project) >= 0 {
		return nil
	}
	return a.put(KindProject.lists()[0], objectOf(&core.Project{Spec: &core.ProjectSpec{Name: a.project}}))
}

// classOf is Feast's class of the data sources of a built-in type.
func classOf(t core.DataSource_SourceType) string {
	return map[core.DataSource_SourceType]string{
		core.DataSource_BATCH_FILE:      "feast.infra.offline_stores.file_source.FileSource",
		core.DataSource_BATCH_REDSHIFT:  "feast.infra.offline_stores.redshift_source.RedshiftSource",
		core.DataSource_BATCH_BIGQUERY:  "feast.infra.offline_stores.bigquery_source.BigQuerySource",
		core.DataSource_BATCH_SNOWFLAKE: "feast.infra.offline_stores.snowflake_source.SnowflakeSource",
		core.DataSource_STREAM_KAFKA:    "feast.data_source.KafkaSource",
		core.DataSource_STREAM_KINESIS:  "feast.data_source.KinesisSource",
		core.DataSource_REQUEST_SOURCE:  "feast.data_source.RequestSource",
		core.DataSource_PUSH_SOURCE:     "feast.data_source.PushSource",
	}[t]
}

// Delete removes an object, and with a feature view its versions, and returns the
// changes. With a project, everything in it is removed. An object that does not exist is
// a NotFound fault with Feast's text. Objects that refer to it stay, as in Feast, and so
// do tables of the online store: it is for the caller to drop them.
//
// Call it within Update.
func Delete(reg *core.Registry, project string, k Kind, name string) (Changes, error) {
	if k == KindProject {
		return deleteProject(reg, name)
	}
	a := applier{reg: reg.ProtoReflect(), registry: reg, project: project}
	for _, l := range k.lists() {
		list := a.list(l.list)
		at := find(list, project, name)
		if at < 0 {
			continue
		}
		remove(list, at)
		if l.history != "" {
			a.dropHistory(l, name)
		}
		a.note(l, Deleted, name, nil)
		return a.changes, nil
	}
	return nil, fault.New(fault.NotFound, "%s %s does not exist in project %s", k, name, project).About(strings.ToLower(string(k)), name, project)
}

// remove removes an element; the others keep their order.
func remove(list protoreflect.List, at int) {
	for i := at + 1; i < list.Len(); i++ {
		list.Set(i-1, list.Get(i))
	}
	list.Truncate(list.Len() - 1)
}

// deleteProject removes a project with all that belongs to it.
func deleteProject(reg *core.Registry, name string) (Changes, error) {
	a := applier{reg: reg.ProtoReflect(), registry: reg, project: name}
	if find(a.list("projects"), name, name) < 0 {
		return nil, fault.New(fault.NotFound, "Project %s does not exist", name).About("project", name, name)
	}
	named := map[protoreflect.Name]kind{}
	for _, k := range everyKind() {
		named[k.list] = k
	}
	fields := a.reg.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if listField(string(f.Name())) == nil || !a.reg.Has(f) {
			continue
		}
		list := a.list(f.Name())
		for at := list.Len() - 1; at >= 0; at-- {
			o := object{list.Get(at).Message()}
			if o.project() != name {
				continue
			}
			if k, ok := named[f.Name()]; ok { // what has no kind is of old versions of Feast
				a.note(k, Deleted, o.name(), nil)
			}
			remove(list, at)
		}
	}
	a.dropAllHistory()
	return a.changes, nil
}
