package training

import (
	"strings"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// plan is what a request selects.
type plan struct {
	project *registry.Project
	views   []joined
	// onDemand are the views whose features a function computes.
	onDemand []*onDemand
	// apart are the names of views that only functions read, by other join keys than the
	// view of the same name that is in the set.
	apart []string
}

// joined is a view of the request and what is read from its source.
type joined struct {
	*registry.Selected
	// join lacks the columns of the entity rows.
	join offline.JoinView
	keys []key
	// columns are the names of the features in the set. The first were asked for, the
	// others are read for the functions of on-demand views.
	columns []string
	asked   int
	// hidden are the columns that are not in the set.
	hidden []bool
}

// key is a join key of a view.
type key struct {
	// column is its name in the entity rows, source that in the source.
	column, source string
	kind           types.ValueType_Enum
}

// plan resolves the names of a request.
func (s *Service) plan(req *Request) (*plan, error) {
	project, err := s.registry(req.Project)
	if err != nil {
		return nil, err
	}
	if req.Service != "" && len(req.Features) > 0 {
		return nil, fault.New(fault.Invalid, "the request names a feature service and features; name one of them")
	}
	for _, view := range req.Views {
		if _, err := project.View(view); err != nil {
			return nil, err
		}
	}
	selected, err := project.Select(registry.Selection{
		Service: req.Service, Features: req.Features, Aliases: req.Aliases, FullNames: req.FullNames, Versioned: s.opt.Versioned,
	})
	if err != nil {
		return nil, err
	}
	p := &plan{project: project}
	var stored []*registry.Selected
	for _, v := range selected {
		if v.View.Kind != registry.OnDemandView {
			stored = append(stored, v)
			continue
		}
		if err := p.addOnDemand(v); err != nil {
			return nil, err
		}
	}
	return p, p.join(stored, req)
}

// join plans the views to join: those of the request, then the sources of the functions.
func (p *plan) join(stored []*registry.Selected, req *Request) error {
	asked := make([]int, len(stored))
	for i, v := range stored {
		asked[i] = len(v.Features)
	}
	for _, d := range p.onDemand {
		stored = p.addSources(stored, d)
	}
	for i, v := range stored {
		j, err := joinedView(v, req)
		if err != nil {
			return err
		}
		if i < len(asked) {
			j.asked = asked[i]
		}
		j.hidden = make([]bool, len(j.columns))
		p.views = append(p.views, j)
	}
	p.hide(req.FullNames)
	return nil
}

// registry returns a project of the current registry; empty is that of the Options.
func (s *Service) registry(name string) (*registry.Project, error) {
	snapshot := s.opt.Snapshots()
	if snapshot == nil {
		return nil, fault.New(fault.Unavailable, "no registry has been loaded yet; try again shortly")
	}
	if name == "" {
		name = s.opt.Project
	}
	return snapshot.Project(name)
}

// joinedView says what a view takes from its source.
func joinedView(v *registry.Selected, req *Request) (joined, error) {
	view := v.View
	if view.Batch == nil {
		return joined{}, fault.New(fault.Invalid, "feature view %s has no batch source to read from", view.Name).
			About("feature view", view.Name, view.Project)
	}
	layout, err := encode.NewLayout(view, keyVersion)
	if err != nil {
		return joined{}, err
	}
	j := joined{Selected: v, join: offline.JoinView{
		Name: v.Name, Source: view.Batch, Timestamp: layout.Timestamp(), Created: layout.Created(), TTL: view.TTL,
		CreatedBefore: req.CreatedBefore && layout.Created() != "",
	}}
	names, kinds := layout.Columns(), layout.Types()
	features := 0 // index of the first feature among the columns
	if !view.Entityless {
		features = len(view.JoinKeys)
		for i, k := range view.JoinKeys {
			column := k.Name
			if mapped, ok := v.JoinKeyMap[k.Name]; ok {
				column = mapped
			}
			j.keys = append(j.keys, key{column: column, source: names[i], kind: k.Type})
		}
	}
	for _, f := range v.Features {
		i, _ := view.Feature(f)
		j.join.Features = append(j.join.Features, names[features+i])
		j.join.Types = append(j.join.Types, kinds[features+i])
		j.columns = append(j.columns, v.Column(f, req.FullNames))
	}
	return j, nil
}

// keyVersion is any version of serialized keys: training sets have none.
const keyVersion = 3

// features are the names of the feature columns of the set.
func (p *plan) features() []string {
	var names []string
	for i := range p.views {
		names = append(names, p.views[i].columns...)
	}
	return names
}

// kinds are the value types of the features.
func (p *plan) kinds() []types.ValueType_Enum {
	var kinds []types.ValueType_Enum
	for i := range p.views {
		v := &p.views[i]
		kinds = append(kinds, v.join.Types[:len(v.columns)]...)
	}
	return kinds
}

// viewColumns says which columns of a set have the features of which view, if the
// features begin at an index.
func (p *plan) viewColumns(from int) []viewColumns {
	var list []viewColumns
	for i := range p.views {
		v := &p.views[i]
		list = append(list, viewColumns{name: v.Name, from: from, count: len(v.columns)})
		from += len(v.columns)
	}
	return list
}

// checkColumns refuses entity rows that lack a join key, or that have a column with
// the name of a feature that was asked for.
func (p *plan) checkColumns(columns []string, at func(string) int) error {
	for i := range p.views {
		v := &p.views[i]
		for _, k := range v.keys {
			if at(k.column) < 0 {
				return fault.New(fault.Invalid, "the entity rows have no column %q, a join key of feature view %s; %s", k.column, v.Name, theirColumns(columns)).About("feature view", v.Name, p.project.Name)
			}
		}
		for n, name := range v.columns {
			switch {
			case at(name) < 0:
			case n >= v.asked:
				v.hideColumn(n)
			default:
				return fault.New(fault.Invalid, "the entity rows have a column %q, which is the name of feature %s:%s, too; rename the column, or ask for full feature names",
					name, v.Name, v.Features[n]).About("feature view", v.Name, p.project.Name)
			}
		}
	}
	return nil
}

func theirColumns(names []string) string {
	if len(names) == 0 {
		return "they have no columns"
	}
	return "their columns are " + strings.Join(names, ", ")
}
