package registry

import (
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// compiler sorts the objects of a registry by project.
type compiler struct {
	snapshot *Snapshot
	options  Options
}

// project finds or makes a project by name: old registries have no project objects.
func (c *compiler) project(name string) *Project {
	if p, ok := c.snapshot.projects[name]; ok {
		return p
	}
	p := &Project{Name: name, options: c.options}
	c.snapshot.projects[name] = p
	c.snapshot.names = append(c.snapshot.names, name)
	return p
}

func (c *compiler) sort(reg *core.Registry) error {
	for _, m := range reg.GetProjects() {
		p := c.project(m.GetSpec().GetName())
		if p.message != nil {
			return duplicate("project", p.Name, p.Name)
		}
		p.message = m
	}
	c.sortObjects(reg)
	for _, r := range reg.GetFeatureViewVersionHistory().GetRecords() {
		p := c.project(r.GetProjectId())
		p.history = append(p.history, r)
	}
	return nil
}

func (c *compiler) sortObjects(reg *core.Registry) {
	for _, m := range reg.GetEntities() {
		p := c.project(m.GetSpec().GetProject())
		p.entities = append(p.entities, m)
	}
	for _, m := range reg.GetDataSources() {
		p := c.project(m.GetProject())
		p.sources = append(p.sources, m)
	}
	for _, m := range reg.GetFeatureViews() {
		p := c.project(m.GetSpec().GetProject())
		p.batch = append(p.batch, m)
	}
	for _, m := range reg.GetStreamFeatureViews() {
		p := c.project(m.GetSpec().GetProject())
		p.stream = append(p.stream, m)
	}
	for _, m := range reg.GetOnDemandFeatureViews() {
		p := c.project(m.GetSpec().GetProject())
		p.onDemand = append(p.onDemand, m)
	}
	for _, m := range reg.GetLabelViews() {
		p := c.project(m.GetSpec().GetProject())
		p.labels = append(p.labels, m)
	}
	for _, m := range reg.GetFeatureServices() {
		p := c.project(m.GetSpec().GetProject())
		p.services = append(p.services, m)
	}
	for _, m := range reg.GetSavedDatasets() {
		p := c.project(m.GetSpec().GetProject())
		p.datasets = append(p.datasets, m)
	}
	for _, m := range reg.GetValidationReferences() {
		p := c.project(m.GetProject())
		p.references = append(p.references, m)
	}
	for _, m := range reg.GetPermissions() {
		p := c.project(m.GetSpec().GetProject())
		p.grants = append(p.grants, m)
	}
}

// compile makes the lookup tables of a project.
func (p *Project) compile() error {
	p.types, p.joinKeys = entityTypes{}, map[string]JoinKey{}
	for _, m := range p.entities {
		s := m.GetSpec()
		if _, ok := p.types[s.GetName()]; ok {
			return duplicate("entity", s.GetName(), p.Name)
		}
		p.types[s.GetName()] = s
		key := JoinKey{Name: s.GetJoinKey(), Entity: s.GetName(), Type: s.GetValueType()}
		p.joinKeys[key.Name] = key
	}
	if err := p.compileViews(); err != nil {
		return err
	}
	p.byService = map[string]*Service{}
	for _, m := range p.services {
		s := p.compileService(m)
		if _, ok := p.byService[s.Name]; ok {
			return duplicate("feature service", s.Name, p.Name)
		}
		p.byService[s.Name] = s
	}
	return nil
}

func (p *Project) compileViews() error {
	p.views = map[string]*View{}
	add := func(v *View) error {
		if _, ok := p.views[v.Name]; ok {
			return duplicate("feature view", v.Name, p.Name)
		}
		if p.options.VersionedTables {
			v.TableVersion = v.Version
		}
		p.views[v.Name] = v
		p.learnTypes(v)
		return nil
	}
	for _, m := range p.batch {
		if err := add(compileBatch(m, p.types)); err != nil {
			return err
		}
	}
	for _, m := range p.stream {
		if err := add(compileStream(m, p.types)); err != nil {
			return err
		}
	}
	for _, m := range p.onDemand {
		if err := add(compileOnDemand(m, p.types)); err != nil {
			return err
		}
	}
	for _, m := range p.labels {
		if err := add(compileLabel(m, p.types)); err != nil {
			return err
		}
	}
	return nil
}

// learnTypes copies a join key's type from a view if its entity has none.
func (p *Project) learnTypes(v *View) {
	for _, k := range v.JoinKeys {
		known, ok := p.joinKeys[k.Name]
		if !ok || known.Type != 0 || k.Type == 0 {
			continue
		}
		known.Type = k.Type
		p.joinKeys[k.Name] = known
	}
}

func duplicate(kind, name, project string) error {
	return fault.New(fault.Invalid, "the registry holds %s %s of project %s twice; remove one of them", kind, name, project).
		About(kind, name, project)
}
