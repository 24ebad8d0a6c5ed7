package serving

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// reference is a parsed feature reference.
type reference struct {
	view    string // without the version, if that is valid
	version int    // -1: no version given
	feature string
}

// parseReference parses "view:feature" and "view@version:feature". The feature may
// contain more colons. An @ without a version after it is part of the name, as in
// Feast: such a view is not found then.
func parseReference(text string) (reference, error) {
	view, feature, ok := strings.Cut(text, ":")
	if !ok {
		return reference{}, fault.New(fault.Invalid,
			"Invalid feature reference '%s'. Expected format: '<feature_view>:<feature>' or '<feature_view>@<version>:<feature>'", text)
	}
	ref := reference{view: view, version: -1, feature: feature}
	name, version, ok := strings.Cut(view, "@")
	if !ok {
		return ref, nil
	}
	if version == "" || strings.EqualFold(version, "latest") {
		ref.view = name
		return ref, nil
	}
	if version[0] != 'v' && version[0] != 'V' {
		return ref, nil
	}
	if n, ok := versionNumber(version[1:]); ok {
		ref.view, ref.version = name, n
	}
	return ref, nil // not a version: the whole part is the name
}

// versionNumber parses digits. A number too large for any view is still valid.
func versionNumber(digits string) (int, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return math.MaxInt, true
	}
	return int(n), err == nil
}

// addReferences resolves a list of references: views in the order in which they
// first appear, the features of each in the order of the list. Of several mistakes,
// the error names the same one as Feast: first the syntax of references, then views,
// then collisions, then features.
func (b *planner) addReferences(texts []string) error {
	if len(texts) == 0 {
		return fault.New(fault.Invalid, "No features specified for retrieval")
	}
	refs := make([]reference, len(texts))
	for i, text := range texts {
		var err error
		if refs[i], err = parseReference(text); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		w, err := b.resolve(ref)
		if err != nil {
			return err
		}
		w.features = append(w.features, ref.feature)
	}
	return nil
}

// checkFeatures refuses features that are not in their view.
func (b *planner) checkFeatures() error {
	for _, w := range b.requested {
		for _, f := range w.features {
			if _, ok := w.view.Feature(f); !ok {
				return fault.New(fault.Invalid, "Feature %s not found in projection %s", f, w.name).
					About("feature", w.view.Name+":"+f, w.view.Project).For(fault.Lookup)
			}
		}
	}
	return nil
}

// resolve finds the view of a reference, checks that it can be served, and adds it.
func (b *planner) resolve(ref reference) (*requestedView, error) {
	name := ref.view
	if ref.version >= 0 {
		name += "@v" + strconv.Itoa(ref.version)
	}
	if w, ok := b.byName[name]; ok {
		return w, nil
	}
	view, err := b.lookup(ref)
	if err != nil {
		return nil, err
	}
	return b.add(&requestedView{name: name, view: view}), nil
}

func (b *planner) lookup(ref reference) (*registry.View, error) {
	if ref.version >= 0 && !b.versions {
		return nil, fault.New(fault.Invalid, "Version-qualified ref '%s@v%d' not supported: online versioning is disabled. "+
			"Set 'enable_online_feature_view_versioning: true' under 'registry' in feature_store.yaml.", ref.view, ref.version)
	}
	find := func() (*registry.View, error) { return b.project.View(ref.view) }
	if ref.version >= 0 {
		find = func() (*registry.View, error) { return b.project.ViewVersion(ref.view, ref.version) }
	}
	view, err := find()
	if err != nil {
		return nil, err
	}
	return view, checkServable(view)
}

func (b *planner) add(w *requestedView) *requestedView {
	b.byName[w.name] = w
	b.requested = append(b.requested, w)
	return w
}

// addService resolves a feature service: its projections in order, each under
// its alias and with its own mapping of join keys.
func (b *planner) addService(name string) error {
	service, err := b.project.Service(name)
	if err != nil {
		return err
	}
	for i := range service.Projections {
		p := &service.Projections[i]
		if p.Err != nil {
			return p.Err
		}
		if err := checkServable(p.View); err != nil {
			return err
		}
		w := &requestedView{name: p.View.Name, view: p.View, joinKeys: p.JoinKeyMap}
		if p.Alias != "" {
			w.name = p.Alias
		}
		w.features = append(w.features, p.Features...)
		b.add(w)
	}
	if len(b.requested) == 0 {
		return fault.New(fault.Invalid, "No features specified for retrieval")
	}
	return nil
}

// checkCollisions refuses two features with the same name in the response.
func (b *planner) checkCollisions() error {
	seen := map[string]int{}
	var twice []string
	for _, w := range b.requested {
		for _, f := range w.features {
			name := f
			if b.full {
				name = w.name + "__" + f
			}
			if seen[name]++; seen[name] == 2 {
				twice = append(twice, name)
			}
		}
	}
	if len(twice) == 0 {
		return nil
	}
	advice := "To resolve this collision, either use the full feature name by setting 'full_feature_names=True', or ensure that the features in question have different names."
	if b.full {
		advice = "To resolve this collision, please ensure that the feature views or their own features have different names. " +
			"If you're intentionally joining the same feature view twice on different sets of entities, please rename one of the feature views with '.with_name'."
	}
	return fault.New(fault.Invalid, "Duplicate features named %s found.\n%s", strings.Join(twice, ", "), advice).For(fault.Collision)
}
