package training

import (
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// onDemand is a view of the request whose function computes features from the joined
// rows.
type onDemand struct {
	*registry.Selected
	sources []registry.Projection
	// from are the names of the joined views that the sources are read as.
	from    []string
	program *transform.Program
	// features are the requested ones, in the order of the view's.
	features []string
	// stored says that the features are to be stored, for which Feast has rules of its own.
	stored bool
}

// addOnDemand adds an on-demand view. Feast computes such views in the order in which the
// registry lists them.
func (p *plan) addOnDemand(v *registry.Selected) error {
	d := &onDemand{Selected: v, sources: p.project.Sources(v.View)}
	for _, s := range d.sources {
		switch {
		case s.Err != nil:
			return s.Err
		case s.View.Kind == registry.OnDemandView:
			return fault.New(fault.Unimplemented, "on-demand feature view %q reads features of on-demand feature view %q, which are computed, too; only stored features can be read",
				v.View.Name, s.View.Name).About("on-demand feature view", v.View.Name, p.project.Name)
		}
	}
	for _, f := range v.View.Features {
		if slices.Contains(v.Features, f.Name) {
			d.features = append(d.features, f.Name)
		}
	}
	p.onDemand = append(p.onDemand, d)
	place := func(d *onDemand) int {
		for i, m := range p.project.OnDemandFeatureViews() {
			if m.GetSpec().GetName() == d.View.Name {
				return i
			}
		}
		return -1
	}
	slices.SortStableFunc(p.onDemand, func(a, b *onDemand) int { return place(a) - place(b) })
	return nil
}

// addSources adds the features that the functions read to the views of the request. As
// in Feast, a source without join keys of its own is the same as the view that the
// request itself names.
func (p *plan) addSources(stored []*registry.Selected, d *onDemand) []*registry.Selected {
	for i := range d.sources {
		w := d.sources[i].Selected(d.sources[i].Features...)
		at := slices.IndexFunc(stored, func(s *registry.Selected) bool {
			return s.Name == w.Name && (len(w.JoinKeyMap) == 0 || maps.Equal(s.JoinKeyMap, w.JoinKeyMap))
		})
		if at < 0 {
			if slices.ContainsFunc(stored, func(s *registry.Selected) bool { return s.Name == w.Name }) {
				w.Name += "@" + d.Name // with other join keys
				p.apart = append(p.apart, w.Name)
			}
			at, stored = len(stored), append(stored, w)
		}
		for _, f := range w.Features {
			if !slices.Contains(stored[at].Features, f) {
				stored[at].Features = append(stored[at].Features, f)
			}
		}
		d.from = append(d.from, stored[at].Name)
	}
	return stored
}

// joinedAs is the name of the joined view that has an input of the function; empty if the
// entity rows have it.
func (d *onDemand) joinedAs(in transform.Input) string {
	for i, s := range d.sources {
		if s.View.Name == in.View && slices.Contains(s.Features, in.Name) {
			return d.from[i]
		}
	}
	return ""
}

// hide gives the columns of features that were not asked for other names if their own are
// taken, or belong to the same view by other join keys: they are read for the functions,
// and left out of the set.
func (p *plan) hide(full bool) {
	taken := map[string]bool{}
	for _, name := range p.outputs(full) {
		taken[name] = true
	}
	for i := range p.views {
		for _, name := range p.views[i].columns[:p.views[i].asked] {
			taken[name] = true
		}
	}
	for i := range p.views {
		v := &p.views[i]
		for n := v.asked; n < len(v.columns); n++ {
			if taken[v.columns[n]] || slices.Contains(p.apart, v.Name) {
				v.hideColumn(n)
			}
			taken[v.columns[n]] = true
		}
	}
}

func (v *joined) hideColumn(n int) {
	v.columns[n], v.hidden[n] = v.Name+":"+v.Features[n], true
}

// outputs are the names of the computed columns.
func (p *plan) outputs(full bool) []string {
	var names []string
	for _, d := range p.onDemand {
		for _, f := range d.features {
			names = append(names, d.Column(f, full))
		}
	}
	return names
}

// checkRequestData refuses a request that lacks data for a function. has reports whether
// the entity rows have a column.
func (p *plan) checkRequestData(has func(string) bool) error {
	for _, d := range p.onDemand {
		for _, f := range d.View.RequestFields {
			if !has(f.Name) {
				return fault.New(fault.Invalid, "Feature %s not found in the entity dataframe, but required by feature view %s", f.Name, d.View.Name).
					About("feature view", d.View.Name, d.View.Project).For(fault.RequestDataUnset)
			}
		}
	}
	return nil
}

// compile compiles the functions. A function may read the join keys of its sources, and
// else any column of the entity rows, whose schema is nil if it is not known.
func (p *plan) compile(rows *arrow.Schema, service transform.Service) error {
	for _, d := range p.onDemand {
		keys, others := p.project.FunctionKeys(d.View)
		of := service
		if !p.project.Current(d.View) {
			of = nil // a service knows the current version only
		}
		var err error
		if d.program, err = transform.CompileFor(of, d.View.OnDemand, keys, entityColumns(rows, others)); err != nil {
			return err
		}
	}
	return nil
}

// entityColumns are the columns that entity rows have, or may have if their schema is not
// known: then keys are the join keys of the project.
func entityColumns(rows *arrow.Schema, keys []*core.FeatureSpecV2) []*core.FeatureSpecV2 {
	columns := []*core.FeatureSpecV2{{Name: eventTime, ValueType: types.ValueType_UNIX_TIMESTAMP}}
	if rows == nil {
		return append(columns, keys...)
	}
	for _, f := range rows.Fields() {
		if t := valueType(plain(f.Type)); t != types.ValueType_INVALID {
			columns = append(columns, &core.FeatureSpecV2{Name: f.Name, ValueType: t})
		}
	}
	return columns
}

// valueType is the type as which a function gets a column of entity rows.
func valueType(t arrow.DataType) types.ValueType_Enum {
	switch id := t.ID(); {
	case arrow.IsInteger(id):
		return types.ValueType_INT64
	case arrow.IsFloating(id) || arrow.IsDecimal(id):
		return types.ValueType_DOUBLE
	case id == arrow.BOOL:
		return types.ValueType_BOOL
	case id == arrow.STRING || id == arrow.LARGE_STRING:
		return types.ValueType_STRING
	case id == arrow.TIMESTAMP || id == arrow.DATE32 || id == arrow.DATE64:
		return types.ValueType_UNIX_TIMESTAMP
	}
	return types.ValueType_INVALID
}
