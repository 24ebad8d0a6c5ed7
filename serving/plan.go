package serving

import (
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// plan is a request's shape, resolved against one registry snapshot: which
// tables are read, by which keys, and where each feature goes. It is made once
// per shape and shared by concurrent requests.
type plan struct {
	shape   shape
	views   []planView
	groups  []keyGroup
	outputs []output
	// visible are the indexes of the outputs that are not hidden.
	visible []int
	// inputs are the entity columns that the project knows, by name.
	inputs map[string]input
	// requestData are the columns that on-demand feature views need.
	requestData []string
	// transforms are the on-demand feature views whose functions run on the rows
	// of the response, in the order of the request.
	transforms []*registry.View
	// projectKeys are the join keys of the project and the names that projections
	// give them, sorted, for the error about missing join keys.
	projectKeys []string
	keyVersion  int
}

// planView is one view of a request, under one name and one mapping of keys.
type planView struct {
	name      string // in the request, without a version
	view      *registry.View
	table     stores.Table
	selection *stores.Selection
	group     int
	ttl       time.Duration
	counters  viewCounters
}

// keyGroup is a list of join keys that one or more views of the request are
// read by: their keys are serialized once.
type keyGroup struct {
	id     string
	keys   []groupKey
	layout *value.KeyLayout
	// dummy is set for views without entities: one constant key.
	dummy bool
}

// groupKey is a join key, the column of the request that holds its values, and
// the column that holds them when the first is missing.
type groupKey struct {
	joinKey, column, fallback string
}

// input says what a column of the request is for.
type input struct {
	echo        string // its name in the response
	kind        types.ValueType_Enum
	key         bool // a view of the request is read by it
	requestData bool
	hidden      bool // never in the response: the key of views without entities
}

// output is one feature that a request needs.
type output struct {
	name string
	view int // index into views; -1 when it is computed
	pos  int // position in the view's selection
	// hidden outputs are inputs of computed outputs; the response omits them.
	hidden bool
	// compute makes a cell from the other outputs of a row; nil for stored outputs.
	compute func(r *Response, row int) ([]byte, Status)
}

// planner builds one plan.
type planner struct {
	plan     *plan
	project  *registry.Project
	versions bool
}

// plan finds or makes the plan of a request.
func (s *Service) plan(snapshot *registry.Snapshot, req *Request) (*plan, error) {
	name := req.Project
	if name == "" {
		name = s.opt.Project
	}
	want := shape{generation: snapshot.Generation(), project: name, service: req.Service, features: req.Features, full: req.FullNames}
	if req.Service != "" {
		want.features = nil
	}
	hash := s.plans.hash(want)
	if p := s.plans.get(hash, want); p != nil {
		return p, nil
	}
	project, err := snapshot.Project(name)
	if err != nil {
		return nil, err
	}
	b := &planner{
		plan: &plan{shape: want.clone(), keyVersion: s.opt.KeyVersion}, project: project, versions: s.opt.Versioned,
	}
	if err := b.build(); err != nil {
		return nil, err
	}
	for i := range b.plan.views {
		v := &b.plan.views[i]
		v.counters = s.metrics.view(v.table)
	}
	s.plans.put(hash, b.plan)
	return b.plan, nil
}

// build plans the shape. It uses the plan's copy of the shape: the strings of a
// request may point into pooled memory.
func (b *planner) build() error {
	shape := &b.plan.shape
	views, err := b.project.Select(registry.Selection{
		Service: shape.service, Features: shape.features, FullNames: shape.full, Versioned: b.versions,
	})
	if err != nil {
		return err
	}
	b.addProjectKeys()
	for _, v := range views {
		b.addView(v)
	}
	b.plan.findVisible()
	return nil
}

// findVisible lists the outputs of the response.
func (p *plan) findVisible() {
	p.visible = make([]int, 0, len(p.outputs))
	for i := range p.outputs {
		if !p.outputs[i].hidden {
			p.visible = append(p.visible, i)
		}
	}
}

// addView turns a wanted view into a table to read, its keys and its outputs.
func (b *planner) addView(w *registry.Selected) {
	p := b.plan
	if computed(w.View) {
		p.transforms = append(p.transforms, w.View)
		for _, f := range w.View.RequestFields {
			p.inputs[f.Name] = input{echo: f.Name, kind: f.Type, requestData: true}
			p.requestData = append(p.requestData, f.Name)
		}
		return
	}
	index := len(p.views)
	p.views = append(p.views, planView{
		name:      w.Plain,
		view:      w.View,
		table:     stores.Table{Project: w.View.Project, View: w.View.Name, Version: w.View.TableVersion},
		selection: stores.NewSelection(w.Features...),
		group:     b.addGroup(w),
		ttl:       w.View.TTL,
	})
	for pos, feature := range w.Features {
		p.outputs = append(p.outputs, output{name: w.Column(feature, p.shape.full), view: index, pos: pos})
	}
}

// addGroup finds or makes the key group of a view and adds its columns to the
// plan's inputs.
func (b *planner) addGroup(w *registry.Selected) int {
	g := keyGroup{dummy: w.View.Entityless}
	var id strings.Builder
	names := make([]string, 0, len(w.View.JoinKeys))
	for _, k := range w.View.JoinKeys {
		key := groupKey{joinKey: k.Name, column: k.Name}
		if renamed, ok := w.JoinKeyMap[k.Name]; ok {
			key.column, key.fallback = renamed, k.Name
		}
		g.keys = append(g.keys, key)
		names = append(names, k.Name)
		id.WriteString(key.joinKey + "\x00" + key.column + "\x00" + k.Type.String() + "\x00")
		if !w.View.Entityless {
			b.addKey(k, key)
		}
	}
	g.id = id.String()
	for i := range b.plan.groups {
		if b.plan.groups[i].id == g.id {
			return i
		}
	}
	g.layout = value.NewKeyLayout(b.plan.keyVersion, names)
	b.plan.groups = append(b.plan.groups, g)
	return len(b.plan.groups) - 1
}

// addKey adds the columns that may hold a join key to the plan's inputs: the one of
// its own or its mapped name, and the one of the entity's name.
func (b *planner) addKey(k registry.JoinKey, from groupKey) {
	p := b.plan
	p.inputs[from.column] = input{echo: from.column, kind: k.Type, key: true}
	if from.fallback != "" {
		p.inputs[from.fallback] = input{echo: from.fallback, kind: k.Type, key: true}
		if !slices.Contains(p.projectKeys, from.column) {
			p.projectKeys = append(p.projectKeys, from.column)
			slices.Sort(p.projectKeys)
		}
	}
	if in, ok := p.inputs[k.Entity]; ok && in.echo == k.Name {
		p.inputs[k.Entity] = input{echo: in.echo, kind: k.Type, key: true}
	}
}

// addProjectKeys adds the join keys of all entities of the project to the inputs:
// Feast accepts and echoes join keys of other views too, and accepts an entity's
// name for its join key. Columns that are no key of a requested view have no type:
// as in Feast, they are echoed unchanged.
func (b *planner) addProjectKeys() {
	p := b.plan
	p.inputs = map[string]input{registry.DummyKey: {echo: registry.DummyKey, hidden: true, kind: types.ValueType_STRING}}
	for _, e := range b.project.Entities() {
		spec := e.GetSpec()
		key := spec.GetJoinKey()
		if key == registry.DummyKey {
			continue
		}
		p.inputs[spec.GetName()] = input{echo: key}
		p.projectKeys = append(p.projectKeys, key)
	}
	slices.Sort(p.projectKeys)
	for _, key := range p.projectKeys {
		p.inputs[key] = input{echo: key}
	}
}

// checkRequestData refuses a request without the data that its on-demand feature
// views need, and every request that would have to compute their functions.
func (p *plan) checkRequestData(columns []Column) error {
	if len(p.transforms) == 0 {
		return nil
	}
	var missing []string
	for _, name := range p.requestData {
		if !hasColumn(columns, name) {
			missing = append(missing, "'"+name+"'")
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.Invalid, "Required request data source features [%s] not found in the entity rows, but required by feature views",
			strings.Join(missing, ", ")).For(fault.RequestDataUnset)
	}
	v := p.transforms[0]
	return fault.New(fault.Unimplemented, "on-demand feature view %s is computed at request time, which this server does not support yet; "+
		"request its source features and compute them in the client, or set write_to_online_store", v.Name).
		About("feature view", v.Name, v.Project)
}

func hasColumn(columns []Column, name string) bool {
	for i := range columns {
		if columns[i].Name == name {
			return true
		}
	}
	return false
}

// computed reports whether a function computes a view's features at request time,
// instead of reading them from a table.
func computed(v *registry.View) bool {
	return v.Kind == registry.OnDemandView && !v.OnDemand.GetSpec().GetWriteToOnlineStore()
}
