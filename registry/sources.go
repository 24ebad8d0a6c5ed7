package registry

import (
	"maps"
	"slices"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Sources lists the feature views whose features the function of an on-demand view gets,
// in the order of their names. Err says why one of them cannot be read. As in Feast, the
// sources are those of the current definitions, also for an earlier version of the view.
func (p *Project) Sources(v *View) []Projection {
	owner := owner{"on-demand feature view", v.Name}
	spec := v.OnDemand.GetSpec()
	var out []Projection
	for _, name := range slices.Sorted(maps.Keys(spec.GetSources())) {
		switch s := spec.GetSources()[name]; {
		case s.GetFeatureViewProjection() != nil:
			out = append(out, p.compileProjection(owner, s.GetFeatureViewProjection()))
		case s.GetFeatureView() != nil: // as older Feast has stored it
			old := s.GetFeatureView().GetSpec()
			out = append(out, p.compileProjection(owner, &core.FeatureViewProjection{FeatureViewName: old.GetName(), FeatureColumns: old.GetFeatures()}))
		}
	}
	return out
}
