package serving

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/value"
)

// plan is a request's shape, resolved against one registry snapshot: which
// tables are read, by which keys, and where each feature goes. It is made once
// per shape and shared by concurrent requests.
type plan struct {
	shape  shape
	views  []planView
	groups []keyGroup
	// outputs are the columns of the response after the entity columns: first those
	// that are stored, then those that are computed.
	outputs []output
	// inputs are the entity columns that the project knows, by name.
	inputs map[string]input
	// transforms are the on-demand feature views of the request that are computed;
	// requestData names the columns of request data that they need, and requestFields
	// are those that their functions read.
	transforms    []planTransform
	requestData   []string
	requestFields []registry.Feature
	// extra is the number of stored features that only functions need.
	extra int
	// projectKeys are the join keys of the project and the names that projections
	// give them, sorted, for the error about missing join keys.
	projectKeys []string
	keyVersion  int
}

// width is the number of values of a row that the request reads or computes.
func (p *plan) width() int { return len(p.outputs) + p.extra }

// planView is one view of a request, under one name and one mapping of keys.
type planView struct {
	name       string // in the request, without a version
	fullName   string // with the version, if the reference has one
	joinKeyMap map[string]string
	// projected is set for a view that the request has by a projection, of a feature
	// service or of an on-demand view.
	projected bool
	features  []string
	at        map[string]int // the places of the features
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
	echo   string // its name in the response
	kind   types.ValueType_Enum
	key    bool // a view of the request is read by it, or a function reads it
	hidden bool // never in the response: the key of views without entities
}

// output is one column of the response.
type output struct {
	name string
	view int // index into views; -1 when it is computed
	pos  int // position in the view's selection, or among the outputs of its transform
	// transform is the index of the transform that computes it.
	transform int
}

// planner builds one plan.
type planner struct {
	plan     *plan
	project  *registry.Project
	versions bool
	programs *programs
	service  transform.Service
	// selected are the stored views that the request names itself, by full name.
	selected map[string]*registry.Selected
	stored   [][]output // of each view
	computed []output
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
		programs: s.programs, service: s.opt.Functions, selected: map[string]*registry.Selected{},
	}
	if err := b.build(); err != nil {
		return nil, err
	}
	for i := range b.plan.views {
		v := &b.plan.views[i]
		v.counters = s.metrics.view(v.table)
	}
	for i := range b.plan.transforms {
		t := &b.plan.transforms[i]
		t.duration = s.metrics.functions.WithLabelValues(t.view.Project, t.view.Name)
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
		if !computed(v.View) {
			b.selected[v.Name] = v
		}
	}
	for _, v := range views {
		if !computed(v.View) {
			b.addView(v)
		} else if err := b.addTransform(v); err != nil {
			return err
		}
	}
	b.finish()
	return nil
}

// finish puts the outputs in order and makes the selections.
func (b *planner) finish() {
	p := b.plan
	for i := range p.views {
		p.views[i].at = nil
		p.views[i].selection = stores.NewSelection(p.views[i].features...)
		p.outputs = append(p.outputs, b.stored[i]...)
		p.extra += len(p.views[i].features) - len(b.stored[i])
	}
	p.outputs = append(p.outputs, b.computed...)
	for _, name := range p.requestData {
		// As in Feast, request data is not returned, even if it has the name of a join key,
		// unless a view is read by that key.
		if in := p.inputs[name]; !in.key || in.echo != name {
			delete(p.inputs, name)
		}
	}
}

// addView turns a wanted view into a table to read, its keys and its outputs.
func (b *planner) addView(w *registry.Selected) {
	index := b.view(w)
	if b.plan.shape.service != "" {
		b.plan.views[index].projected = true
	}
	for _, feature := range w.Features {
		b.stored[index] = append(b.stored[index], output{name: w.Column(feature, b.plan.shape.full), view: index, pos: b.position(index, feature)})
	}
}

// view finds or makes the table that a view is read from.
func (b *planner) view(w *registry.Selected) int {
	p := b.plan
	for i := range p.views {
		if p.views[i].fullName == w.Name && maps.Equal(p.views[i].joinKeyMap, w.JoinKeyMap) {
			return i
		}
	}
	p.views = append(p.views, planView{
		name: w.Plain, fullName: w.Name, joinKeyMap: w.JoinKeyMap,
		view:  w.View,
		table: stores.Table{Project: w.View.Project, View: w.View.Name, Version: w.View.TableVersion},
		group: b.addGroup(w),
		ttl:   w.View.TTL,
	})
	b.stored = append(b.stored, nil)
	return len(p.views) - 1
}

// position finds or makes the place of a feature in the selection of a view.
func (b *planner) position(view int, feature string) int {
	v := &b.plan.views[view]
	if v.at == nil {
		v.at = map[string]int{}
	}
	at, ok := v.at[feature]
	if !ok {
		at = len(v.features)
		v.at[feature] = at
		v.features = append(v.features, feature)
	}
	return at
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
