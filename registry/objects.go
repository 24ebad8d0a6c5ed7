package registry

import "github.com/banquet-fs/banquet/gen/feast/core"

// Objects are the definitions of one project, as a feature repository holds
// them: what an apply makes the registry hold for that project.
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
	// Unreadable says, by the name of a view, why Feast cannot read its function
	// back without a pickle. Such a view is refused unless the registry has the
	// pickle of the same text.
	Unreadable map[string]error
	// Pickles stand in, by the name of a view, for a pickle that the registry does
	// not have and Feast looks at.
	Pickles map[string][]byte
}

// Empty reports whether nothing is defined but, perhaps, a project.
func (o *Objects) Empty() bool {
	return len(o.Entities)+len(o.DataSources)+len(o.FeatureViews)+len(o.StreamFeatureViews)+len(o.OnDemandFeatureViews)+
		len(o.LabelViews)+len(o.FeatureServices)+len(o.Permissions) == 0
}
