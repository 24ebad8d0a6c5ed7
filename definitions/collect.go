package definitions

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// collector collects the objects that modules bind to names, by identity and in
// Feast's order: module by module, name by name.
type collector struct {
	seen        map[any]bool
	projects    []*project
	entities    []*entity
	sources     []*source
	views       []*view
	services    []*service
	permissions []*permission
	// projections are views bound to a name after with_name or [[…]].
	projections map[string]string
}

func newCollector() *collector {
	return &collector{seen: map[any]bool{}, projections: map[string]string{}}
}

// module collects the objects of a module; it returns false if there are none.
func (c *collector) module(m *python.Module) bool {
	found := false
	for _, n := range m.Dir() {
		if c.add(n, m.Names[n]) {
			found = true
		}
	}
	return found
}

// add collects an object; it returns false if the value is not one.
func (c *collector) add(name string, v any) bool {
	if !isObject(v) {
		return false
	}
	if o, ok := v.(*view); ok && o.projected {
		c.projections[name] = o.name
		return true
	}
	if c.seen[v] {
		return true
	}
	c.seen[v] = true
	switch o := v.(type) {
	case *project:
		c.projects = append(c.projects, o)
	case *entity:
		c.entities = append(c.entities, o)
	case *source:
		c.sources = append(c.sources, o)
		c.source(o.batch)
	case *view:
		c.views = append(c.views, o)
		c.viewSources(o)
	case *service:
		c.services = append(c.services, o)
	case *permission:
		c.permissions = append(c.permissions, o)
	}
	return true
}

func isObject(v any) bool {
	switch v.(type) {
	case *project, *entity, *source, *view, *service, *permission:
		return true
	}
	return false
}

func (c *collector) source(s *source) {
	if s != nil && !c.seen[s] {
		c.seen[s] = true
		c.sources = append(c.sources, s)
	}
}

// viewSources collects the data sources of a view.
func (c *collector) viewSources(v *view) {
	if _, label := v.msg.(*core.LabelView); label {
		c.source(v.given)
		if v.given != nil && v.given.class == "PushSource" {
			c.source(v.given.batch)
		}
		return
	}
	c.source(v.batch)
	c.source(v.stream)
}

// twice refuses two objects of one kind and name, at the place where the second
// is created.
func (c *collector) twice(made []python.Made) error {
	first := map[string]python.Made{}
	for _, m := range made {
		kind, name := identity(m.Value)
		if !c.seen[m.Value] || name == "" {
			continue
		}
		key := kind + "\x00" + name
		if other, ok := first[key]; ok && !repeats(other.Value, m.Value) {
			return m.Fail("%s %s is defined twice, the other is at %s; give one of them another name, or make it once and use it twice", kind, name, other.Place())
		}
		first[key] = m
	}
	return nil
}

// repeats reports whether Feast accepts two objects of one name as the same: it
// does if they are equal and have neither a table nor a file.
func repeats(a, b any) bool {
	var x, y proto.Message
	switch a := a.(type) {
	case *entity:
		b, _ := b.(*entity)
		x, y = a.proto, b.proto
	case *service:
		if b, ok := b.(*service); ok && slices.Equal(a.references, b.references) {
			x, y = a.proto, b.proto
		}
	case *permission:
		b, _ := b.(*permission)
		x, y = a.proto, b.proto
	}
	return x != nil && proto.Equal(x, y)
}

// check refuses a project other than that of the configuration.
func (c *collector) check(name string) error {
	if len(c.projects) > 1 {
		return fault.New(fault.Invalid, "the repository defines %d Project objects (%s, %s, …); one is allowed",
			len(c.projects), c.projects[0].proto.GetSpec().GetName(), c.projects[1].proto.GetSpec().GetName())
	}
	if len(c.projects) == 0 || name == "" {
		return nil
	}
	if own := c.projects[0].proto.GetSpec().GetName(); own != name {
		return fault.New(fault.Invalid, "the repository defines project %s, feature_store.yaml says project: %s; make them the same", own, name).
			About("project", own, name)
	}
	return nil
}

// identity returns the kind and name by which an object is unique. View names
// ignore case.
func identity(v any) (kind, name string) {
	switch o := v.(type) {
	case *entity:
		return "entity", o.proto.GetSpec().GetName()
	case *source:
		return "data source", o.proto.GetName()
	case *view:
		return "feature view", strings.ToLower(o.name)
	case *service:
		return "feature service", o.proto.GetSpec().GetName()
	case *permission:
		return "permission", o.proto.GetSpec().GetName()
	}
	return "", ""
}

// objects returns the messages.
func (c *collector) objects() registry.Objects {
	var o registry.Objects
	for _, p := range c.projects {
		o.Project = p.proto
	}
	for _, e := range c.entities {
		o.Entities = append(o.Entities, e.proto)
	}
	for _, s := range c.sources {
		o.DataSources = append(o.DataSources, s.annotated())
	}
	o.Unreadable, o.Pickles, o.References = map[string]error{}, map[string][]byte{}, map[string][]string{}
	for _, v := range c.views {
		if v.readBack.err != nil {
			o.Unreadable[v.name] = v.readBack.err
		}
		if v.readBack.pickle != nil {
			o.Pickles[v.name] = v.readBack.pickle
		}
		switch m := v.msg.(type) {
		case *core.FeatureView:
			o.FeatureViews = append(o.FeatureViews, m)
		case *core.StreamFeatureView:
			o.StreamFeatureViews = append(o.StreamFeatureViews, m)
		case *core.OnDemandFeatureView:
			o.OnDemandFeatureViews = append(o.OnDemandFeatureViews, m)
		case *core.LabelView:
			o.LabelViews = append(o.LabelViews, m)
		}
	}
	for _, s := range c.services {
		o.FeatureServices = append(o.FeatureServices, s.proto)
		if len(s.references) > 0 {
			o.References[s.proto.GetSpec().GetName()] = s.references
		}
	}
	for _, p := range c.permissions {
		o.Permissions = append(o.Permissions, p.proto)
	}
	return o
}

// notes lists objects that are created but bound to no name: Feast does not see
// them either.
func (r *reader) notes() []string {
	var notes []string
	for _, m := range r.run.Made() {
		if r.collected.seen[m.Value] {
			continue
		}
		var what string
		switch o := m.Value.(type) {
		case *view:
			what = o.class + " " + o.name
		case *service:
			what = "FeatureService " + o.proto.GetSpec().GetName()
		case *entity:
			what = "Entity " + o.proto.GetSpec().GetName()
		default:
			continue
		}
		notes = append(notes, fmt.Sprintf("%s: %s is created but no module binds it to a name, so it is not part of the repository", m.Place(), what))
	}
	for _, name := range sortedKeys(r.collected.projections) {
		notes = append(notes, fmt.Sprintf("%s is bound to a projection of view %s, which is not a definition of its own; write it where it is used", name, r.collected.projections[name]))
	}
	return notes
}
