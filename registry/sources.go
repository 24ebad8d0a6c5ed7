package registry

import (
	"maps"
	"slices"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
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

// Current reports whether an on-demand view is the version that its name means now.
func (p *Project) Current(v *View) bool {
	now, err := p.View(v.Name)
	return err == nil && now.Version == v.Version
}

// FunctionKeys lists the join keys that the function of an on-demand view may read: those
// of its sources, by the names that callers use, and the others of the project, since Feast
// gives a function all entity columns of the request.
func (p *Project) FunctionKeys(v *View) (sources, others []*core.FeatureSpecV2) {
	known := map[string]bool{DummyKey: true}
	add := func(list []*core.FeatureSpecV2, name string, t types.ValueType_Enum) []*core.FeatureSpecV2 {
		if known[name] {
			return list
		}
		known[name] = true
		return append(list, &core.FeatureSpecV2{Name: name, ValueType: t})
	}
	for _, s := range p.Sources(v) {
		if s.View == nil {
			continue // it cannot be read: see Err
		}
		for _, k := range s.View.JoinKeys {
			name, ok := s.JoinKeyMap[k.Name]
			if !ok {
				name = k.Name
			}
			sources = add(sources, name, k.Type)
		}
	}
	for _, e := range p.entities {
		others = add(others, e.GetSpec().GetJoinKey(), e.GetSpec().GetValueType())
	}
	return sources, others
}
