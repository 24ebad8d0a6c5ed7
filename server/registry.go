package server

import (
	"context"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// registryService is banquet.v1.RegistryService: it reads the current snapshot.
type registryService struct {
	banquetv1.UnimplementedRegistryServiceServer
	opt *Options
}

// snapshot returns the current snapshot of the registry.
func (s *registryService) snapshot() (*registry.Snapshot, error) {
	if snap := s.opt.Registry.Snapshot(); snap != nil {
		return snap, nil
	}
	return nil, fault.New(fault.Unavailable, "no registry has been loaded yet; try again shortly")
}

func (s *registryService) project(name string) (*registry.Project, error) {
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = s.opt.Project
	}
	return snap.Project(name)
}

// pageRequest is implemented by all requests for lists.
type pageRequest interface {
	GetTags() map[string]string
	GetPageSize() int32
	GetPageToken() string
	GetView() banquetv1.ObjectView
}

// find returns an object by name.
func find[M proto.Message](list []M, kind, name, project string, view banquetv1.ObjectView) (M, error) {
	for _, m := range list {
		if nameOf(m) == name {
			return shown(m, view), nil
		}
	}
	var none M
	return none, fault.New(fault.NotFound, "%s %s does not exist in project %s", strings.ToUpper(kind[:1])+kind[1:], name, project).About(kind, name, project)
}

// page returns one page of a list. The token is the index of the next object.
func page[M proto.Message](list []M, req pageRequest) (objects []M, next string, err error) {
	start := 0
	if t := req.GetPageToken(); t != "" {
		if start, err = strconv.Atoi(t); err != nil || start < 0 {
			return nil, "", fault.New(fault.Invalid, "page_token %q is invalid; use next_page_token of the previous response", t)
		}
	}
	size := int(req.GetPageSize())
	for i := start; i < len(list); i++ {
		if !tagged(list[i], req.GetTags()) {
			continue
		}
		if size > 0 && len(objects) == size {
			return objects, strconv.Itoa(i), nil
		}
		objects = append(objects, shown(list[i], req.GetView()))
	}
	return objects, "", nil
}

// spec returns the message with the definition of an object.
func spec(m proto.Message) protoreflect.Message {
	r := m.ProtoReflect()
	if f := r.Descriptor().Fields().ByName("spec"); f != nil {
		return r.Get(f).Message()
	}
	return r
}

func nameOf(m proto.Message) string {
	s := spec(m)
	return s.Get(s.Descriptor().Fields().ByName("name")).String()
}

func tagged(m proto.Message, want map[string]string) bool {
	if len(want) == 0 {
		return true
	}
	s := spec(m)
	f := s.Descriptor().Fields().ByName("tags")
	if f == nil || !f.IsMap() {
		return false
	}
	tags := s.Get(f).Map()
	for k, v := range want {
		key := protoreflect.ValueOfString(k).MapKey()
		if !tags.Has(key) || tags.Get(key).String() != v {
			return false
		}
	}
	return true
}

// shown returns an object with the fields of the view. It removes fields from a copy,
// never from the registry's own message.
func shown[M proto.Message](m M, view banquetv1.ObjectView) M {
	if view == banquetv1.ObjectView_OBJECT_VIEW_FULL {
		return m
	}
	c, _ := proto.Clone(m).(M)
	lighten(c.ProtoReflect())
	return c
}

// lighten removes pickled functions and the SQL of data sources.
func lighten(m protoreflect.Message) {
	switch v := m.Interface().(type) {
	case *core.UserDefinedFunctionV2:
		v.Body = nil
	case *core.UserDefinedFunction:
		v.Body = nil
	case *core.DataSource_CustomSourceOptions:
		v.Configuration = nil
	}
	if f := m.Descriptor().Fields().ByName("query"); f != nil && f.Kind() == protoreflect.StringKind { // SQL of a data warehouse source
		m.Clear(f)
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, e protoreflect.Value) bool {
					lighten(e.Message())
					return true
				})
			}
		case f.IsList():
			for i := range v.List().Len() {
				lighten(v.List().Get(i).Message())
			}
		default:
			lighten(v.Message())
		}
		return true
	})
}

// projects lists the project objects; a project without one gets a message with its
// name.
func (s *registryService) projects() ([]*core.Project, error) {
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	var list []*core.Project
	for _, name := range snap.Projects() {
		p, err := snap.Project(name)
		if err != nil {
			return nil, err
		}
		m := p.Message()
		if m == nil {
			m = &core.Project{Spec: &core.ProjectSpec{Name: name}}
		}
		list = append(list, m)
	}
	return list, nil
}

// GetProject returns one project.
func (s *registryService) GetProject(_ context.Context, r *banquetv1.GetProjectRequest) (*banquetv1.GetProjectResponse, error) {
	list, err := s.projects()
	if err != nil {
		return nil, err
	}
	m, err := find(list, "project", r.GetName(), r.GetName(), r.GetView())
	return &banquetv1.GetProjectResponse{Project: m}, err
}

// ListProjects returns all projects.
func (s *registryService) ListProjects(_ context.Context, r *banquetv1.ListProjectsRequest) (*banquetv1.ListProjectsResponse, error) {
	list, err := s.projects()
	if err != nil {
		return nil, err
	}
	list, next, err := page(list, r)
	return &banquetv1.ListProjectsResponse{Projects: list, NextPageToken: next}, err
}
