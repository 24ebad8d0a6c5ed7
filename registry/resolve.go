package registry

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// resolveServices returns the feature services with a projection for each of their
// references, after those that they have. A version is looked up in the stored history.
// Without one, the view is that of the definitions, or else the stored one.
func (a *applier) resolveServices(o Objects) ([]*core.FeatureService, error) {
	services := make([]*core.FeatureService, len(o.FeatureServices))
	for i, s := range o.FeatureServices {
		name := s.GetSpec().GetName()
		services[i] = s
		if len(o.References[name]) > 0 {
			services[i] = proto.CloneOf(s)
		}
		for _, text := range o.References[name] {
			p, err := a.resolve(o, text)
			if err != nil {
				return nil, fault.New(fault.KindOf(err), "feature service %s: %s", name, fault.Of(err).Text).About("feature service", name, a.project).Because(err)
			}
			services[i].Spec.Features = append(services[i].Spec.Features, p)
		}
	}
	return services, nil
}

// resolve makes the projection of a reference.
func (a *applier) resolve(o Objects, reference string) (*core.FeatureViewProjection, error) {
	view, feature, one := strings.Cut(reference, ":")
	ref := parseView(view)
	p, err := a.wholeView(o, ref)
	if err != nil || !one {
		return p, err
	}
	for _, f := range p.GetFeatureColumns() {
		if f.GetName() == feature {
			p.FeatureColumns = []*core.FeatureSpecV2{f}
			return p, nil
		}
	}
	return nil, fault.New(fault.Invalid, "Invalid feature reference '%s': feature '%s' not found on feature view '%s'.", reference, feature, ref.View)
}

// wholeView is the projection of a view with all of its features.
func (a *applier) wholeView(o Objects, ref Reference) (*core.FeatureViewProjection, error) {
	if ref.Version >= 0 {
		m, err := a.version(ref)
		if err != nil {
			return nil, err
		}
		p := projectionOf(m)
		p.VersionTag = proto.Int32(int32(ref.Version))
		return p, nil
	}
	for _, k := range kinds() {
		if k.history == "" {
			continue
		}
		for _, v := range a.definitions(k, o) {
			if v.name() == ref.View {
				p := projectionOf(v)
				p.FeatureColumns = withoutKeys(v, p.GetFeatureColumns())
				return p, nil
			}
		}
	}
	for _, k := range kinds() {
		list := a.reg.Get(a.reg.Descriptor().Fields().ByName(k.list)).List()
		if at := find(list, a.project, ref.View); k.history != "" && at >= 0 {
			return projectionOf(object{list.Get(at).Message()}), nil
		}
	}
	return nil, unknownView(ref.View, a.project)
}

// version reads a version of a view from the history.
func (a *applier) version(ref Reference) (object, error) {
	for _, r := range a.records(ref.View) {
		if int(r.GetVersionNumber()) == ref.Version {
			return openRecord(r)
		}
	}
	return object{}, unknownVersion(ref.View, ref.Version, a.project)
}

// projectionOf is the projection that a view has by itself.
func projectionOf(view object) *core.FeatureViewProjection {
	v := compileView(view.m.Interface(), nil)
	kind := "featureView"
	if v.Kind == LabelView {
		kind = "labelView"
	}
	p := &core.FeatureViewProjection{FeatureViewName: view.name(), ViewType: kind}
	for _, f := range v.Features {
		p.FeatureColumns = append(p.FeatureColumns, proto.CloneOf(f.Spec))
	}
	SetBatchSource(p, v.Batch)
	return p
}

// SetBatchSource gives a projection the batch source of its view, as Feast stores it there:
// without the Python class if its type is built in; Feast finds any other by its class.
// The source may be nil.
func SetBatchSource(p *core.FeatureViewProjection, source *core.DataSource) {
	if source == nil {
		return
	}
	b := proto.CloneOf(source)
	if b.GetType() != core.DataSource_CUSTOM_SOURCE {
		b.DataSourceClassType = ""
	}
	// The field named timestamp_field holds the created time's column, as in Feast.
	p.TimestampField, p.CreatedTimestampColumn = b.GetCreatedTimestampColumn(), b.GetCreatedTimestampColumn()
	p.DatePartitionColumn, p.BatchSource = b.GetDatePartitionColumn(), b
}

// withoutKeys leaves out the entity columns, which the message of a stream feature view
// repeats among its features. Those of a stored view are features to Feast.
func withoutKeys(view object, features []*core.FeatureSpecV2) []*core.FeatureSpecV2 {
	s, ok := view.m.Interface().(*core.StreamFeatureView)
	if !ok {
		return features
	}
	keys := map[string]bool{}
	for _, c := range s.GetSpec().GetEntityColumns() {
		keys[c.GetName()] = true
	}
	var rest []*core.FeatureSpecV2
	for _, f := range features {
		if !keys[f.GetName()] {
			rest = append(rest, f)
		}
	}
	return rest
}
