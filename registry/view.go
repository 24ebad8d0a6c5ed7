package registry

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// ViewKind is the kind of a feature view.
type ViewKind uint8

// The kinds of feature views, in the order in which a name is looked up.
const (
	BatchView ViewKind = iota
	StreamView
	OnDemandView
	LabelView
)

// String is the Python class that Feast prints for the kind.
func (k ViewKind) String() string {
	return [...]string{"FeatureView", "StreamFeatureView", "OnDemandFeatureView", "LabelView"}[k]
}

// Feature is one feature of a view, or one column of request data.
type Feature struct {
	Name string
	Type types.ValueType_Enum
	Spec *core.FeatureSpecV2
}

// JoinKey is a key column of a view's rows.
type JoinKey struct {
	Name, Entity string
	Type         types.ValueType_Enum
}

// View is a feature view of any kind, compiled for reading. It is shared and
// never changed.
type View struct {
	Name, Project string
	Kind          ViewKind
	// JoinKeys are in the order of the view's entities; a view without entities
	// has exactly the dummy key.
	JoinKeys   []JoinKey
	Entityless bool
	Features   []Feature
	// TTL of 0 means that rows never expire.
	TTL             time.Duration
	Online, Enabled bool
	State           core.FeatureViewState
	// Version is the view's current version number, or the requested one.
	Version int
	// TableVersion says which table holds the rows; 0 is the unversioned one.
	TableVersion int
	Batch        *core.DataSource
	Stream       *core.DataSource
	Intervals    []*core.MaterializationInterval
	Tags         map[string]string
	// OnDemand is set for an on-demand view. RequestFields are the columns of request
	// data that its function needs.
	OnDemand      *core.OnDemandFeatureView
	RequestFields []Feature
	// Message is the registry's own object.
	Message proto.Message

	byName map[string]int
}

// Feature returns the index of a feature in Features.
func (v *View) Feature(name string) (int, bool) {
	i, ok := v.byName[name]
	return i, ok
}

// entityTypes are the entities of a project by name.
type entityTypes map[string]*core.EntitySpecV2

// body holds the fields that all kinds of views have.
type body struct {
	entities      []string
	entityColumns []*core.FeatureSpecV2
	features      []*core.FeatureSpecV2
	ttl           *durationpb.Duration
}

// finish compiles the parts that depend on the entities.
func (v *View) finish(b body, entities entityTypes) *View {
	if b.ttl != nil {
		v.TTL = b.ttl.AsDuration()
	}
	v.Features = compileFeatures(b.features)
	v.byName = make(map[string]int, len(v.Features))
	for i, f := range v.Features {
		v.byName[f.Name] = i
	}
	for _, name := range b.entities {
		if name == DummyEntity {
			continue
		}
		key := JoinKey{Name: name, Entity: name}
		if e, ok := entities[name]; ok {
			key.Name, key.Type = e.GetJoinKey(), e.GetValueType()
		}
		for _, c := range b.entityColumns {
			if c.GetName() == key.Name {
				key.Type = c.GetValueType()
			}
		}
		v.JoinKeys = append(v.JoinKeys, key)
	}
	if len(v.JoinKeys) == 0 {
		v.Entityless = true
		v.JoinKeys = []JoinKey{{Name: DummyKey, Entity: DummyEntity, Type: types.ValueType_STRING}}
	}
	return v
}

func compileFeatures(specs []*core.FeatureSpecV2) []Feature {
	features := make([]Feature, len(specs))
	for i, f := range specs {
		features[i] = Feature{Name: f.GetName(), Type: f.GetValueType(), Spec: f}
	}
	return features
}

// compileView compiles a view of any kind.
func compileView(m proto.Message, entities entityTypes) *View {
	switch m := m.(type) {
	case *core.StreamFeatureView:
		return compileStream(m, entities)
	case *core.OnDemandFeatureView:
		return compileOnDemand(m, entities)
	case *core.LabelView:
		return compileLabel(m, entities)
	case *core.FeatureView:
		return compileBatch(m, entities)
	}
	return nil
}

func compileBatch(m *core.FeatureView, entities entityTypes) *View {
	s := m.GetSpec()
	v := &View{
		Name: s.GetName(), Project: s.GetProject(), Kind: BatchView,
		Online: s.GetOnline(), Enabled: !s.GetDisabled(),
		State: m.GetMeta().GetState(), Version: int(m.GetMeta().GetCurrentVersionNumber()),
		Batch: s.GetBatchSource(), Stream: s.GetStreamSource(),
		Intervals: m.GetMeta().GetMaterializationIntervals(), Tags: s.GetTags(), Message: m,
	}
	return v.finish(body{s.GetEntities(), s.GetEntityColumns(), s.GetFeatures(), s.GetTtl()}, entities)
}

func compileStream(m *core.StreamFeatureView, entities entityTypes) *View {
	s := m.GetSpec()
	v := &View{
		Name: s.GetName(), Project: s.GetProject(), Kind: StreamView,
		Online: s.GetOnline(), Enabled: !s.GetDisabled(),
		State: m.GetMeta().GetState(), Version: int(m.GetMeta().GetCurrentVersionNumber()),
		Batch: s.GetBatchSource(), Stream: s.GetStreamSource(),
		Intervals: m.GetMeta().GetMaterializationIntervals(), Tags: s.GetTags(), Message: m,
	}
	return v.finish(body{s.GetEntities(), s.GetEntityColumns(), s.GetFeatures(), s.GetTtl()}, entities)
}

func compileOnDemand(m *core.OnDemandFeatureView, entities entityTypes) *View {
	s := m.GetSpec()
	v := &View{
		Name: s.GetName(), Project: s.GetProject(), Kind: OnDemandView,
		Online: s.GetWriteToOnlineStore(), Enabled: !s.GetDisabled(),
		State: m.GetMeta().GetState(), Version: int(m.GetMeta().GetCurrentVersionNumber()),
		Tags: s.GetTags(), OnDemand: m, Message: m,
	}
	for _, source := range sortedKeys(s.GetSources()) {
		if r := s.GetSources()[source].GetRequestDataSource(); r != nil {
			v.RequestFields = append(v.RequestFields, compileFeatures(r.GetRequestDataOptions().GetSchema())...)
		}
	}
	return v.finish(body{s.GetEntities(), s.GetEntityColumns(), s.GetFeatures(), nil}, entities)
}

func compileLabel(m *core.LabelView, entities entityTypes) *View {
	s := m.GetSpec()
	v := &View{
		Name: s.GetName(), Project: s.GetProject(), Kind: LabelView, Online: s.GetOnline(), Enabled: true,
		Tags: s.GetTags(), Message: m,
	}
	if source := s.GetSource(); source.GetType() == core.DataSource_PUSH_SOURCE {
		v.Stream, v.Batch = source, source.GetBatchSource()
	} else {
		v.Batch = source
	}
	return v.finish(body{s.GetEntities(), s.GetEntityColumns(), s.GetFeatures(), s.GetTtl()}, entities)
}
