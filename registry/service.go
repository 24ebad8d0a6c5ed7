package registry

import (
	"cmp"
	"maps"
	"slices"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Service is a feature service, compiled for reading.
type Service struct {
	Name        string
	Projections []Projection
	Message     *core.FeatureService
}

// Projection is one view of a service: some of its features, perhaps under
// another name and with join keys renamed.
type Projection struct {
	View *View
	// Alias replaces the view's name; empty means no alias.
	Alias string
	// Version is the version of the view that the projection names; -1 if it names none
	// and has the current one.
	Version int
	// JoinKeyMap maps the view's join keys to the names that callers use.
	JoinKeyMap map[string]string
	Features   []string
	// Err says why the projection cannot be served: its view is gone, or a
	// feature of it differs from the view's since the service was applied, or it names
	// a version although versions are not enabled.
	Err error
}

// name is the name of the projection in a request, without the version.
func (p *Projection) name() string { return cmp.Or(p.Alias, p.View.Name) }

// Selected is the projection as a part of a request, with the given features.
func (p *Projection) Selected(features ...string) *Selected {
	return &Selected{
		Name: Reference{View: p.name(), Version: p.Version}.name(), Plain: p.name(), View: p.View, JoinKeyMap: p.JoinKeyMap, Features: features,
	}
}

// owner is the object that has a projection: a feature service or an on-demand view.
type owner struct{ kind, name string }

func (p *Project) compileService(m *core.FeatureService) *Service {
	s := &Service{Name: m.GetSpec().GetName(), Message: m}
	for _, f := range m.GetSpec().GetFeatures() {
		s.Projections = append(s.Projections, p.compileProjection(owner{"feature service", s.Name}, f))
	}
	return s
}

func (p *Project) compileProjection(of owner, m *core.FeatureViewProjection) Projection {
	out := Projection{Alias: m.GetFeatureViewNameAlias(), JoinKeyMap: m.GetJoinKeyMap(), Version: -1}
	if m.VersionTag != nil {
		out.Version = int(m.GetVersionTag())
	}
	for _, f := range m.GetFeatureColumns() {
		out.Features = append(out.Features, f.GetName())
	}
	ref := Reference{View: m.GetFeatureViewName(), Version: out.Version}
	out.View, out.Err = p.Resolve(ref, p.options.VersionedTables)
	if out.Err != nil {
		return out
	}
	for _, f := range m.GetFeatureColumns() {
		i, ok := out.View.Feature(f.GetName())
		if ok && sameField(out.View.Features[i].Spec, f) {
			continue
		}
		out.Err = fault.New(fault.Invalid, "The projection for %s cannot be applied because it contains %s which the FeatureView doesn't have. Apply %s %s again.",
			out.View.Name, f.GetName(), of.kind, of.name).About(of.kind, of.name, p.Name)
		break
	}
	return out
}

// sameField compares the parts of two fields that Feast compares.
func sameField(a, b *core.FeatureSpecV2) bool {
	return a.GetName() == b.GetName() && a.GetValueType() == b.GetValueType() && a.GetDescription() == b.GetDescription() &&
		a.GetVectorLength() == b.GetVectorLength() && a.GetVectorIndex() == b.GetVectorIndex() &&
		a.GetVectorSearchMetric() == b.GetVectorSearchMetric() && maps.Equal(a.GetTags(), b.GetTags())
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
