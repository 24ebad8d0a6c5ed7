package serving

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// planTransform is an on-demand feature view of a request, whose function computes
// features from stored ones, request data and entity columns.
type planTransform struct {
	view *registry.View
	// program is the compiled function; err says why there is none.
	program *transform.Program
	err     error
	// duration receives the time of each run.
	duration prometheus.Observer
	inputs   []source // in the order of the program
	outputs  []int    // indexes of the features that the request names among those of the program
}

// source says where the values of an input come from.
type source struct {
	kind sourceKind
	// view and pos are the place of a stored feature.
	view, pos int
	// field is the index of a column of request data in plan.requestFields.
	field int
	// columns are the names that an entity column may have in the request.
	columns []string
}

type sourceKind uint8

const (
	fromView sourceKind = iota
	fromRequest
	fromEntities
)

// computed reports whether a function computes a view's features at request time,
// instead of reading them from a table.
func computed(v *registry.View) bool {
	return v.Kind == registry.OnDemandView && !v.OnDemand.GetSpec().GetWriteToOnlineStore()
}

// addTransform adds an on-demand view, and the features that its function reads.
func (b *planner) addTransform(w *registry.Selected) error {
	sources := b.project.Sources(w.View)
	for i := range sources {
		if err := sources[i].Err; err != nil {
			return err
		}
	}
	p := b.plan
	for _, f := range w.View.RequestFields {
		if !slices.Contains(p.requestData, f.Name) {
			p.requestData = append(p.requestData, f.Name)
		}
	}
	key := programKey{project: b.project.Name, view: w.View.Name, pinned: w.Name != w.Plain, version: w.View.Version}
	t := planTransform{view: w.View}
	t.program, t.err = b.programs.get(p.shape.generation, key, func() (*transform.Program, error) {
		keys, others := b.project.FunctionKeys(w.View)
		if !b.project.Current(w.View) {
			return transform.CompileWith(w.View.OnDemand, keys, others) // a service knows the current version only
		}
		return transform.CompileFor(b.service, w.View.OnDemand, keys, others)
	})
	if t.err == nil {
		t.err = b.bindInputs(&t, sources)
	}
	for _, feature := range w.Features {
		index := -1
		if t.err == nil {
			index = slices.IndexFunc(t.program.Outputs(), func(f transform.Field) bool { return f.Name == feature })
		}
		b.computed = append(b.computed, output{name: w.Column(feature, p.shape.full), view: -1, pos: len(t.outputs), transform: len(p.transforms)})
		t.outputs = append(t.outputs, index)
	}
	p.transforms = append(p.transforms, t)
	return nil
}

// bindInputs finds the sources of a program's inputs, and adds those that are stored to
// what the request reads.
func (b *planner) bindInputs(t *planTransform, sources []registry.Projection) error {
	for _, in := range t.program.Inputs() {
		switch {
		case in.Request:
			t.inputs = append(t.inputs, source{kind: fromRequest, field: b.requestField(in.Field)})
		case in.View == "":
			t.inputs = append(t.inputs, source{kind: fromEntities, columns: b.entityColumns(in.Field, sources)})
		default:
			at := slices.IndexFunc(sources, func(s registry.Projection) bool {
				return s.View.Name == in.View && slices.Contains(s.Features, in.Name)
			})
			if at < 0 {
				return fault.New(fault.Internal, "on-demand feature view %q has no source %s", t.view.Name, in.View)
			}
			if computed(sources[at].View) {
				return fault.New(fault.Unimplemented, "on-demand feature view %q reads features of on-demand feature view %q, which are computed, too; "+
					"only stored features can be read", t.view.Name, in.View).About("on-demand feature view", t.view.Name, b.project.Name)
			}
			view := b.dependency(&sources[at])
			t.inputs = append(t.inputs, source{kind: fromView, view: view, pos: b.position(view, in.Name)})
		}
	}
	return nil
}

// dependency finds or makes the table of a source. As in Feast, a source without a
// mapping of join keys of its own is the same as the view that the request itself
// names, with the mapping that this one has.
func (b *planner) dependency(p *registry.Projection) int {
	w := p.Selected()
	if asked, ok := b.selected[w.Name]; ok && len(w.JoinKeyMap) == 0 {
		w.JoinKeyMap = asked.JoinKeyMap
	}
	known := len(b.plan.views)
	view := b.view(w)
	if view == known {
		b.plan.views[view].projected = true
	}
	return view
}

// requestField finds or makes a column of request data.
func (b *planner) requestField(f transform.Field) int {
	p := b.plan
	at := slices.IndexFunc(p.requestFields, func(other registry.Feature) bool { return other.Name == f.Name && other.Type == f.Type })
	if at < 0 {
		at = len(p.requestFields)
		p.requestFields = append(p.requestFields, registry.Feature{Name: f.Name, Type: f.Type})
	}
	return at
}

// entityColumns are the names that the request may have for an entity column: the one
// that the function uses, and those that the sources' mappings of join keys give it.
func (b *planner) entityColumns(f transform.Field, sources []registry.Projection) []string {
	p := b.plan
	names := []string{f.Name}
	for i := range sources {
		w := sources[i].Selected()
		if asked, ok := b.selected[w.Name]; ok && len(w.JoinKeyMap) == 0 {
			w.JoinKeyMap = asked.JoinKeyMap
		}
		for _, k := range w.View.JoinKeys {
			switch mapped := w.JoinKeyMap[k.Name]; {
			case mapped == f.Name:
				names = append(names, k.Name)
			case k.Name == f.Name && mapped != "":
				names = append(names, mapped)
			}
		}
	}
	for _, name := range names {
		if !p.inputs[name].key {
			p.inputs[name] = input{echo: name, kind: f.Type, key: true}
		}
	}
	return names
}
