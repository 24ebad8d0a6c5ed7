package registry

import (
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Options say how a registry is read.
type Options struct {
	// VersionedTables is registry.enable_online_feature_view_versioning: each
	// version of a view above 0 has an online table of its own.
	VersionedTables bool
}

// Snapshot is one state of a registry, checked and compiled. It is shared by
// all readers and never changes; the messages reached through it are read-only.
type Snapshot struct {
	generation uint64
	message    *core.Registry
	names      []string
	projects   map[string]*Project
}

// generations counts the snapshots of the process.
var generations atomic.Uint64

// OpenSnapshot checks a registry and compiles it. It keeps reg.
func OpenSnapshot(reg *core.Registry, options Options) (*Snapshot, error) {
	s := &Snapshot{generation: generations.Add(1), message: reg, projects: map[string]*Project{}}
	c := compiler{snapshot: s, options: options}
	if err := c.sort(reg); err != nil {
		return nil, err
	}
	for _, name := range s.names {
		if err := s.projects[name].compile(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Generation is unique in the process and grows from snapshot to snapshot.
func (s *Snapshot) Generation() uint64 { return s.generation }

// Projects names the projects in the order of the registry.
func (s *Snapshot) Projects() []string { return s.names }

// Registry returns the whole message.
func (s *Snapshot) Registry() *core.Registry { return s.message }

// Project finds a project; an unknown one is a NotFound fault.
func (s *Snapshot) Project(name string) (*Project, error) {
	if p, ok := s.projects[name]; ok {
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "Project %s does not exist", name).About("project", name, name)
}

// Project holds the objects of one project, in the order of the registry. The
// lists include Feast's dummy entity.
type Project struct {
	Name string

	message    *core.Project
	entities   []*core.Entity
	sources    []*core.DataSource
	batch      []*core.FeatureView
	stream     []*core.StreamFeatureView
	onDemand   []*core.OnDemandFeatureView
	labels     []*core.LabelView
	services   []*core.FeatureService
	datasets   []*core.SavedDataset
	references []*core.ValidationReference
	grants     []*core.Permission
	history    []*core.FeatureViewVersionRecord

	options   Options
	types     entityTypes
	views     map[string]*View
	byService map[string]*Service
	joinKeys  map[string]JoinKey
}

// Message is the project's own object; nil in registries that have none.
func (p *Project) Message() *core.Project { return p.message }

// Entities lists the entities, Feast's dummy included.
func (p *Project) Entities() []*core.Entity { return p.entities }

// DataSources lists the data sources.
func (p *Project) DataSources() []*core.DataSource { return p.sources }

// FeatureViews lists the batch feature views.
func (p *Project) FeatureViews() []*core.FeatureView { return p.batch }

// StreamFeatureViews lists the stream feature views.
func (p *Project) StreamFeatureViews() []*core.StreamFeatureView { return p.stream }

// OnDemandFeatureViews lists the on-demand feature views.
func (p *Project) OnDemandFeatureViews() []*core.OnDemandFeatureView { return p.onDemand }

// LabelViews lists the label views.
func (p *Project) LabelViews() []*core.LabelView { return p.labels }

// FeatureServices lists the feature services.
func (p *Project) FeatureServices() []*core.FeatureService { return p.services }

// SavedDatasets lists the saved datasets.
func (p *Project) SavedDatasets() []*core.SavedDataset { return p.datasets }

// ValidationReferences lists the validation references.
func (p *Project) ValidationReferences() []*core.ValidationReference { return p.references }

// Permissions lists the permissions.
func (p *Project) Permissions() []*core.Permission { return p.grants }

// View finds a feature view of any kind; an unknown one is a NotFound fault.
func (p *Project) View(name string) (*View, error) {
	if v, ok := p.views[name]; ok {
		return v, nil
	}
	return nil, unknownView(name, p.Name)
}

func unknownView(name, project string) error {
	return fault.New(fault.NotFound, "Feature view %s does not exist in project %s", name, project).About("feature view", name, project)
}

// Views lists the feature views of every kind: batch, stream, on demand, label.
func (p *Project) Views() []*View {
	views := make([]*View, 0, len(p.views))
	for _, name := range p.viewNames() {
		views = append(views, p.views[name])
	}
	return views
}

func (p *Project) viewNames() []string {
	var names []string
	for _, m := range p.batch {
		names = append(names, m.GetSpec().GetName())
	}
	for _, m := range p.stream {
		names = append(names, m.GetSpec().GetName())
	}
	for _, m := range p.onDemand {
		names = append(names, m.GetSpec().GetName())
	}
	for _, m := range p.labels {
		names = append(names, m.GetSpec().GetName())
	}
	return names
}

// ViewVersion finds one version of a view in its history. As in Feast, the error says
// that the version does not exist, even if there is no view of the name.
func (p *Project) ViewVersion(name string, version int) (*View, error) {
	for _, r := range p.history {
		if r.GetFeatureViewName() != name || int(r.GetVersionNumber()) != version {
			continue
		}
		current, err := p.View(name)
		if err != nil {
			return nil, err
		}
		return p.openVersion(r, current)
	}
	return nil, unknownVersion(name, version, p.Name)
}

func unknownVersion(name string, version int, project string) error {
	return fault.New(fault.NotFound, "Version v%d of feature view %s does not exist in project %s", version, name, project).
		About("feature view", name, project).For(fault.VersionUnknown)
}

// openVersion compiles a version from the history. The current view decides whether
// it can be served.
func (p *Project) openVersion(r *core.FeatureViewVersionRecord, current *View) (*View, error) {
	m, err := openRecord(r)
	if err != nil {
		return nil, err
	}
	v := compileView(m.m.Interface(), p.types)
	v.Name, v.Project = current.Name, p.Name
	v.Version, v.TableVersion = int(r.GetVersionNumber()), int(r.GetVersionNumber())
	v.Enabled, v.State = current.Enabled, current.State
	return v, nil
}

// Service finds a feature service; an unknown one is a NotFound fault.
func (p *Project) Service(name string) (*Service, error) {
	if s, ok := p.byService[name]; ok {
		return s, nil
	}
	return nil, fault.New(fault.NotFound, "Feature service %s does not exist in project %s", name, p.Name).
		About("feature service", name, p.Name)
}
