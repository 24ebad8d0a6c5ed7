package registry

import (
	"maps"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Selection is the features that a request asks for: those of a feature service, or
// a list of references.
type Selection struct {
	// Service is the name of a feature service; it takes precedence over Features,
	// which are references of the form view:feature or view@version:feature.
	Service  string
	Features []string
	// Aliases give views other names in Features.
	Aliases []Alias
	// FullNames asks for names of the form view__feature.
	FullNames bool
	// Versioned allows references with a version.
	Versioned bool
}

// Alias is another name of a view in the references of a request. A feature service
// has the view under this name, and says by which join keys.
type Alias struct{ View, Name string }

// Selected is a view of a selection, under one name and one mapping of join keys.
type Selected struct {
	// Name is the name of the view in the request: its own or its alias, with the
	// version if the reference or the projection has one.
	Name string
	// Plain is Name without the version.
	Plain string
	View  *View
	// JoinKeyMap maps the view's join keys to the names that the caller uses.
	JoinKeyMap map[string]string
	// Features are in the order of the request. One may occur twice.
	Features []string
}

// Column is the name of a feature in the answer to a request.
func (s *Selected) Column(feature string, fullNames bool) string {
	if fullNames {
		return s.Name + "__" + feature
	}
	return feature
}

// Select resolves a selection: views in the order in which they first appear, the
// features of each in the order of the request. All of them exist, may be served and
// have different names. Of several mistakes, the error names the same one as Feast:
// first the syntax of references, then views, then collisions, then features.
func (p *Project) Select(s Selection) ([]*Selected, error) {
	r := selector{project: p, selection: s, byName: map[string]*Selected{}}
	resolve := r.references
	if s.Service != "" {
		resolve = r.service
	}
	if err := resolve(); err != nil {
		return nil, err
	}
	if err := r.checkCollisions(); err != nil {
		return nil, err
	}
	return r.views, r.checkFeatures()
}

// selector resolves one selection.
type selector struct {
	project   *Project
	selection Selection
	views     []*Selected
	byName    map[string]*Selected
}

func noFeatures() error { return fault.New(fault.Invalid, "No features specified for retrieval") }

func (r *selector) references() error {
	if len(r.selection.Features) == 0 {
		return noFeatures()
	}
	refs := make([]Reference, len(r.selection.Features))
	for i, text := range r.selection.Features {
		var err error
		if refs[i], err = ParseReference(text); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		v, err := r.resolve(ref)
		if err != nil {
			return err
		}
		v.Features = append(v.Features, ref.Feature)
	}
	return nil
}

// resolve finds the view of a reference, checks that it can be served, and adds it.
func (r *selector) resolve(ref Reference) (*Selected, error) {
	name := ref.name()
	if v, ok := r.byName[name]; ok {
		return v, nil
	}
	if i := slices.IndexFunc(r.selection.Aliases, func(a Alias) bool { return a.Name == ref.View }); i >= 0 {
		return r.alias(r.selection.Aliases[i], ref)
	}
	view, err := r.project.Resolve(ref, r.selection.Versioned)
	if err != nil {
		return nil, err
	}
	if err := CheckServable(view); err != nil {
		return nil, err
	}
	return r.add(&Selected{Name: name, Plain: view.Name, View: view}), nil
}

// Resolve finds the view of a reference, or the version of it that the reference
// names. versioned allows versions.
func (p *Project) Resolve(ref Reference, versioned bool) (*View, error) {
	if ref.Version < 0 {
		return p.View(ref.View)
	}
	if !versioned {
		return nil, fault.New(fault.Invalid, "Version-qualified ref '%s@v%d' not supported: online versioning is disabled. "+
			"Set 'enable_online_feature_view_versioning: true' under 'registry' in feature_store.yaml.", ref.View, ref.Version)
	}
	return p.ViewVersion(ref.View, ref.Version)
}

// alias adds a view under the name that a feature service gives it, since only the
// service says what its join keys are called then.
func (r *selector) alias(a Alias, ref Reference) (*Selected, error) {
	view, err := r.project.Resolve(Reference{View: a.View, Version: ref.Version}, r.selection.Versioned)
	if err != nil {
		return nil, err
	}
	if err := CheckServable(view); err != nil {
		return nil, err
	}
	refuse := func(why string) error {
		return fault.New(fault.Invalid, "feature view %s cannot be found under the name %s: %s", a.View, a.Name, why).
			About("feature view", a.View, r.project.Name)
	}
	var found *Projection
	for _, m := range r.project.services {
		for i, p := range r.project.byService[m.GetSpec().GetName()].Projections {
			if p.Alias != a.Name || p.Version != ref.Version || m.GetSpec().GetFeatures()[i].GetFeatureViewName() != a.View {
				continue
			}
			if found != nil && !maps.Equal(found.JoinKeyMap, p.JoinKeyMap) {
				return nil, refuse("two feature services give it this name with different join keys; use another name in one of them")
			}
			found = &p
		}
	}
	if found == nil {
		return nil, refuse("no feature service of project " + r.project.Name + " has it under this name, which would say its join keys; apply one that has it")
	}
	return r.add(&Selected{Name: ref.name(), Plain: a.Name, View: view, JoinKeyMap: found.JoinKeyMap}), nil
}

func (r *selector) add(v *Selected) *Selected {
	r.byName[v.Name] = v
	r.views = append(r.views, v)
	return v
}

// service resolves a feature service: its projections in order, each under its alias
// and with its own mapping of join keys. Projections with one name are one view, with
// the mapping of the first.
func (r *selector) service() error {
	service, err := r.project.Service(r.selection.Service)
	if err != nil {
		return err
	}
	for i := range service.Projections {
		p := &service.Projections[i]
		if p.View != nil {
			if err := CheckServable(p.View); err != nil {
				return err
			}
		}
		if p.Err != nil {
			return p.Err
		}
		name := Reference{View: p.name(), Version: p.Version}.name()
		v, ok := r.byName[name]
		if !ok {
			v = r.add(p.Selected())
		}
		v.Features = append(v.Features, p.Features...)
	}
	if len(r.views) == 0 {
		return noFeatures()
	}
	return nil
}

// checkFeatures refuses features that are not in their view.
func (r *selector) checkFeatures() error {
	for _, v := range r.views {
		for _, f := range v.Features {
			if _, ok := v.View.Feature(f); !ok {
				return fault.New(fault.Invalid, "Feature %s not found in projection %s", f, v.Name).
					About("feature", v.View.Name+":"+f, v.View.Project).For(fault.Lookup)
			}
		}
	}
	return nil
}

// checkCollisions refuses two features with the same name in the answer.
func (r *selector) checkCollisions() error {
	seen := map[string]int{}
	var twice []string
	for _, v := range r.views {
		for _, f := range v.Features {
			name := v.Column(f, r.selection.FullNames)
			if seen[name]++; seen[name] == 2 {
				twice = append(twice, name)
			}
		}
	}
	if len(twice) == 0 {
		return nil
	}
	advice := "To resolve this collision, either use the full feature name by setting 'full_feature_names=True', or ensure that the features in question have different names."
	if r.selection.FullNames {
		advice = "To resolve this collision, please ensure that the feature views or their own features have different names. " +
			"If you're intentionally joining the same feature view twice on different sets of entities, please rename one of the feature views with '.with_name'."
	}
	return fault.New(fault.Invalid, "Duplicate features named %s found.\n%s", strings.Join(twice, ", "), advice).For(fault.Collision)
}

// CheckServable refuses a view that may not serve features, online or in training sets.
func CheckServable(v *View) error {
	if !v.Enabled {
		return fault.New(fault.Disabled, "Feature view '%s' is disabled and cannot serve features. Enable it with `feast feature-views enable %s` or set enabled=True.",
			v.Name, v.Name).About("feature view", v.Name, v.Project)
	}
	switch v.State {
	case core.FeatureViewState_CREATED, core.FeatureViewState_GENERATED:
		return fault.New(fault.Disabled, "Feature view '%s' is in state '%s' and cannot serve features. Only AVAILABLE_ONLINE feature views can serve.",
			v.Name, v.State).About("feature view", v.Name, v.Project)
	default:
		// A view that is being refreshed still holds its last rows.
		return nil
	}
}
