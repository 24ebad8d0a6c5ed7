package registry

import (
	"slices"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Objects are the definitions of one project in a feature repository. After an apply,
// the registry holds exactly these for the project.
type Objects struct {
	// Project is nil when the repository defines none.
	Project              *core.Project
	Entities             []*core.Entity
	DataSources          []*core.DataSource
	FeatureViews         []*core.FeatureView
	StreamFeatureViews   []*core.StreamFeatureView
	OnDemandFeatureViews []*core.OnDemandFeatureView
	LabelViews           []*core.LabelView
	FeatureServices      []*core.FeatureService
	Permissions          []*core.Permission
	// References are features of feature services that the repository names by text, by
	// the name of the service: view, view@version, view:feature or view@version:feature.
	// An apply finds what they mean and appends it to the features of the service.
	References map[string][]string
	// Unreadable says, by view name, why Feast cannot load a view's function without a
	// pickle. Such a view is refused unless the registry has a pickle of the same source
	// text.
	Unreadable map[string]error
	// Pickles are substitutes, by view name, for a pickle that Feast reads and the
	// registry does not have.
	Pickles map[string][]byte
	// Later is set for definitions by a later Feast than this program knows: fields that
	// the program does not know are part of them.
	Later bool
	// NoPromote keeps the current definition of a feature view whose schema has changed,
	// and records the new one only as a version.
	NoPromote bool
}

// Empty reports whether nothing is defined, except perhaps a project.
func (o *Objects) Empty() bool {
	return len(o.Entities)+len(o.DataSources)+len(o.FeatureViews)+len(o.StreamFeatureViews)+len(o.OnDemandFeatureViews)+
		len(o.LabelViews)+len(o.FeatureServices)+len(o.Permissions) == 0
}

// Compile compiles the entities and feature views as a project, before they are applied.
// The error is that of Apply for their names. The project shares the messages.
func (o *Objects) Compile(project string) (*Project, error) {
	if err := checkNames(project, *o); err != nil {
		return nil, err
	}
	p := &Project{Name: project, batch: o.FeatureViews, stream: o.StreamFeatureViews, onDemand: o.OnDemandFeatureViews, labels: o.LabelViews}
	for _, e := range o.Entities { // one may be defined twice alike
		if !slices.ContainsFunc(p.entities, func(other *core.Entity) bool { return other.GetSpec().GetName() == e.GetSpec().GetName() }) {
			p.entities = append(p.entities, e)
		}
	}
	return p, p.compile()
}
