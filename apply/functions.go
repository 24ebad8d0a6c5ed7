package apply

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// functions compiles the functions of on-demand views. Warnings are about those that
// banquet cannot compute; the error is about those that cannot work with their inputs.
func (a *Applier) functions(objects *registry.Objects) (warnings []error, err error) {
	var wrong []string
	for _, v := range objects.OnDemandFeatureViews {
		err := compileView(v, objects)
		switch {
		case err == nil:
		case fault.KindOf(err) == fault.Invalid:
			wrong = append(wrong, a.placed(v, err))
		default:
			warnings = append(warnings, fault.New(fault.Unimplemented, "%s; requests for its features will be answered with 501 (UNIMPLEMENTED), all others are served", a.placed(v, err)).
				About("on-demand feature view", v.GetSpec().GetName(), a.opt.Project).Because(err))
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(wrong, "\n"))
	}
	return warnings, nil
}

// compileView compiles a function as serving will: it may read the join keys of its
// sources, and else any join key.
func compileView(v *core.OnDemandFeatureView, objects *registry.Objects) error {
	keys := sourceKeys(v.GetSpec(), objects)
	_, err := transform.Compile(v, keys)
	if err == nil {
		return nil
	}
	more := slices.Clone(keys)
	for _, e := range objects.Entities {
		if s := e.GetSpec(); s.GetJoinKey() != registry.DummyKey {
			more = addField(more, transform.Field{Name: s.GetJoinKey(), Type: s.GetValueType()})
		}
	}
	if _, again := transform.Compile(v, more); again == nil {
		return nil
	}
	return err
}

// sourceKeys are the join keys of the sources of a view, by the names that callers use.
func sourceKeys(spec *core.OnDemandFeatureViewSpec, objects *registry.Objects) []transform.Field {
	columns := map[string][]*core.FeatureSpecV2{}
	for _, v := range objects.FeatureViews {
		columns[v.GetSpec().GetName()] = v.GetSpec().GetEntityColumns()
	}
	for _, v := range objects.StreamFeatureViews {
		columns[v.GetSpec().GetName()] = v.GetSpec().GetEntityColumns()
	}
	var keys []transform.Field
	for _, name := range slices.Sorted(maps.Keys(spec.GetSources())) {
		p := spec.GetSources()[name].GetFeatureViewProjection()
		for _, c := range columns[p.GetFeatureViewName()] {
			if c.GetName() == registry.DummyKey {
				continue
			}
			key := transform.Field{Name: c.GetName(), Type: c.GetValueType()}
			if mapped, ok := p.GetJoinKeyMap()[key.Name]; ok {
				key.Name = mapped
			}
			keys = addField(keys, key)
		}
	}
	return keys
}

// addField adds a field unless there is one of its name.
func addField(list []transform.Field, f transform.Field) []transform.Field {
	if slices.ContainsFunc(list, func(other transform.Field) bool { return other.Name == f.Name }) {
		return list
	}
	return append(list, f)
}

// placed is the text of an error about a function, with its file and line if they can be
// found.
func (a *Applier) placed(v *core.OnDemandFeatureView, err error) string {
	text := fault.Of(err).Text
	if at := a.expressionPlace(v.GetSpec().GetName(), err); at != "" {
		return at + ": " + text
	}
	var p *transform.PlaceError
	if a.opt.Locate == nil || !errors.As(err, &p) {
		return text
	}
	file, first := a.opt.Locate(transform.Source(v.GetSpec()))
	if file == "" {
		return text
	}
	return fmt.Sprintf("%s:%d: on-demand feature view %q cannot be computed: %s", file, first+p.Line-1, v.GetSpec().GetName(), p.Text)
}

// expressionPlace is the place of the expression that an error is about, or of its view;
// empty for a view with a function.
func (a *Applier) expressionPlace(view string, err error) string {
	var e *transform.ExpressionError
	if errors.As(err, &e) {
		if at := a.opt.Places[view+":"+e.Feature]; at != "" {
			return at
		}
	}
	return a.opt.Places[view]
}
