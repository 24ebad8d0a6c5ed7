package apply

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// onDemandView completes the source projections of an on-demand view, and its entity
// columns where an entity has no type. Its features must be listed: Feast would call
// the function to infer them.
func (in *inference) onDemandView(spec *core.OnDemandFeatureViewSpec) error {
	projections := sourceProjections(spec)
	for _, p := range projections {
		in.settle(p.GetBatchSource())
		// Feast adds all features of an inferred view, even if some were selected.
		if v := in.views[p.GetFeatureViewName()]; v != nil && v.all {
			p.FeatureColumns = cloneSpecs(v.features)
		}
	}
	s := shape{kind: "on-demand feature view", name: spec.GetName(), entities: spec.GetEntities(), columns: spec.GetEntityColumns(), features: spec.GetFeatures()}
	joinKeys := in.keys(&s)
	if len(s.columns) < len(joinKeys) {
		s.columns = nil
		for _, p := range projections {
			if err := in.keysOf(&s, joinKeys, p); err != nil {
				return err
			}
		}
	}
	if len(s.features) == 0 {
		return fault.New(fault.Invalid, "on-demand feature view %s lists no features, and they are only known when its function runs; list them in its schema", s.name).
			About("on-demand feature view", s.name, "")
	}
	spec.EntityColumns = s.columns
	in.views[spec.GetName()] = &inferred{features: spec.GetFeatures()}
	return nil
}

// sourceProjections are the source views of an on-demand view, by name.
func sourceProjections(spec *core.OnDemandFeatureViewSpec) []*core.FeatureViewProjection {
	var list []*core.FeatureViewProjection
	for _, name := range slices.Sorted(maps.Keys(spec.GetSources())) {
		if p := spec.GetSources()[name].GetFeatureViewProjection(); p != nil {
			list = append(list, p)
		}
	}
	return list
}

// keysOf adds the entity columns of a projection's source.
func (in *inference) keysOf(s *shape, joinKeys []string, p *core.FeatureViewProjection) error {
	s.source = p.GetBatchSource()
	if s.source == nil {
		return fault.New(fault.Invalid, "on-demand feature view %s: view %s has no batch source to infer its entity columns from; give its entities a value_type",
			s.name, p.GetFeatureViewName()).About("on-demand feature view", s.name, "")
	}
	columns, err := in.of(s.source)
	if err != nil {
		return err
	}
	skip := originals(s.source.GetFieldMapping(), p.GetTimestampField(), p.GetCreatedTimestampColumn())
	for _, c := range columns {
		if skip[c.Name] || !slices.Contains(joinKeys, c.Name) {
			continue
		}
		if err := s.add(&s.columns, c.Name, c); err != nil {
			return err
		}
	}
	return nil
}

// service completes the projections of a service on views without a schema: all
// features of the view, or the types of the selected ones.
func (in *inference) service(spec *core.FeatureServiceSpec) error {
	for _, p := range spec.GetFeatures() {
		in.settle(p.GetBatchSource())
		refuse := func(format string, args ...any) error {
			return fault.New(fault.Invalid, "feature service "+spec.GetName()+": "+format, args...).About("feature service", spec.GetName(), "")
		}
		v := in.views[p.GetFeatureViewName()]
		chosen := p.GetFeatureColumns()
		switch {
		case v == nil && (len(chosen) == 0 || !typed(chosen)):
			return refuse("view %s lists no features and is not in this repository; bind it to a name of a module", p.GetFeatureViewName())
		case v == nil || !v.all:
		case len(chosen) == 0:
			p.FeatureColumns = cloneSpecs(v.features)
		default:
			p.FeatureColumns = nil
			for _, f := range v.features {
				if has(chosen, f.GetName()) {
					p.FeatureColumns = append(p.FeatureColumns, cloneSpec(f))
				}
			}
			for _, f := range chosen {
				if !has(v.features, f.GetName()) {
					return refuse("feature view %s has no feature %s", p.GetFeatureViewName(), f.GetName())
				}
			}
		}
	}
	return nil
}

// typed reports whether features have types. Features selected from a view without a
// schema have none.
func typed(specs []*core.FeatureSpecV2) bool {
	return !slices.ContainsFunc(specs, func(s *core.FeatureSpecV2) bool { return s.GetValueType() == 0 })
}

func cloneSpecs(list []*core.FeatureSpecV2) []*core.FeatureSpecV2 {
	out := make([]*core.FeatureSpecV2, len(list))
	for i, f := range list {
		out[i] = cloneSpec(f)
	}
	return out
}

func cloneSpec(f *core.FeatureSpecV2) *core.FeatureSpecV2 {
	c, _ := proto.Clone(f).(*core.FeatureSpecV2)
	return c
}
