package apply

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Columns returns the columns of a data source; an offline store implements it.
type Columns interface {
	Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error)
}

// Infer completes definitions from their sources, as Feast does at apply: the
// event times of file sources and their copies, the entity columns of views, the
// features of views without a schema, and those of services and on-demand views over
// them. It changes the objects in place and reads a source only if something is
// missing.
func Infer(ctx context.Context, objects *registry.Objects, columns Columns) error {
	in := &inference{
		ctx: ctx, columns: columns, entities: map[string]*core.EntitySpecV2{}, views: map[string]*inferred{},
		known: map[string][]offline.Column{}, times: map[string]string{},
	}
	for _, e := range objects.Entities {
		in.entities[e.GetSpec().GetName()] = e.GetSpec()
	}
	in.entities[registry.DummyEntity] = &core.EntitySpecV2{Name: registry.DummyEntity, JoinKey: registry.DummyKey}
	if err := in.eventTimes(objects); err != nil {
		return err
	}
	for _, v := range objects.FeatureViews {
		if err := in.featureView(v.GetSpec()); err != nil {
			return err
		}
	}
	for _, v := range objects.StreamFeatureViews {
		if err := in.streamView(v.GetSpec()); err != nil {
			return err
		}
	}
	for _, v := range objects.LabelViews {
		in.views[v.GetSpec().GetName()] = &inferred{features: v.GetSpec().GetFeatures()}
	}
	for _, v := range objects.FeatureViews {
		in.parents(v.GetSpec())
	}
	for _, v := range objects.OnDemandFeatureViews {
		if err := in.onDemandView(v.GetSpec()); err != nil {
			return err
		}
	}
	for _, s := range objects.FeatureServices {
		if err := in.service(s.GetSpec()); err != nil {
			return err
		}
	}
	return nil
}

type inference struct {
	ctx      context.Context //nolint:containedctx // lives for one call of Infer
	columns  Columns
	entities map[string]*core.EntitySpecV2
	views    map[string]*inferred
	known    map[string][]offline.Column
	times    map[string]string // event times that were inferred, by source
}

// inferred is the result for a view.
type inferred struct {
	spec     *core.FeatureViewSpec // of a batch view
	features []*core.FeatureSpecV2
	// all is set if the view lists no features.
	all bool
}

// identity is equal for two copies of one source.
func identity(source *core.DataSource) string {
	c, _ := proto.Clone(source).(*core.DataSource)
	c.Project, c.DataSourceClassType, c.Meta = "", "", nil
	id, _ := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	return string(id)
}

// of returns the columns of a source and reads each source once.
func (in *inference) of(source *core.DataSource) ([]offline.Column, error) {
	id := identity(source)
	if c, ok := in.known[id]; ok {
		return c, nil
	}
	c, err := in.columns.Columns(in.ctx, source)
	if err != nil {
		return nil, err
	}
	in.known[id] = c
	return c, nil
}

// shape holds the parts of any kind of view that inference completes.
type shape struct {
	kind, name string
	source     *core.DataSource
	entities   []string
	columns    []*core.FeatureSpecV2 // entity columns
	features   []*core.FeatureSpecV2
}

func (in *inference) featureView(spec *core.FeatureViewSpec) error {
	s := shape{"feature view", spec.GetName(), spec.GetBatchSource(), spec.GetEntities(), spec.GetEntityColumns(), spec.GetFeatures()}
	if err := in.complete(&s); err != nil {
		return err
	}
	in.views[spec.GetName()] = &inferred{spec: spec, features: s.features, all: len(spec.GetFeatures()) == 0}
	spec.EntityColumns, spec.Features = s.columns, s.features
	return nil
}

// streamView keeps the entity columns in the features, as Feast does for stream feature
// views.
func (in *inference) streamView(spec *core.StreamFeatureViewSpec) error {
	s := shape{"stream feature view", spec.GetName(), spec.GetBatchSource(), spec.GetEntities(), spec.GetEntityColumns(), nil}
	for _, f := range spec.GetFeatures() {
		if !has(s.columns, f.GetName()) {
			s.features = append(s.features, f)
		}
	}
	all := len(s.features) == 0
	if err := in.complete(&s); err != nil {
		return err
	}
	in.views[spec.GetName()] = &inferred{features: s.features, all: all}
	spec.EntityColumns, spec.Features = s.columns, append(slices.Clone(s.columns), s.features...)
	return nil
}

// parents replaces the source views of a view by the inferred ones.
func (in *inference) parents(spec *core.FeatureViewSpec) {
	for i, p := range spec.GetSourceViews() {
		if v := in.views[p.GetName()]; v != nil && v.spec != nil {
			spec.SourceViews[i] = v.spec
		}
	}
}

// complete fills the entity columns and features of a view.
func (in *inference) complete(s *shape) error {
	joinKeys := in.keys(s)
	if len(s.columns) >= len(joinKeys) && len(s.features) > 0 {
		return nil
	}
	if s.source != nil {
		columns, err := in.of(s.source)
		if err != nil {
			return err
		}
		if err := in.fromSource(s, joinKeys, columns); err != nil {
			return err
		}
	}
	if len(s.features) == 0 {
		return fault.New(fault.Invalid, "%s %s: its source has no column that could be a feature; list its schema", s.kind, s.name).
			About("feature view", s.name, "")
	}
	return nil
}

// keys adds the entity columns of entities with a type, and returns the join keys whose
// columns must be inferred. Entities that are not in the repository count as one key
// without a name, as in Feast.
func (in *inference) keys(s *shape) []string {
	var joinKeys []string
	for _, name := range s.entities {
		key := in.entities[name].GetJoinKey()
		if !slices.Contains(joinKeys, key) {
			joinKeys = append(joinKeys, key)
		}
	}
	for _, name := range s.entities {
		e, ok := in.entities[name]
		if ok && e.GetValueType() != types.ValueType_INVALID && !has(s.columns, e.GetJoinKey()) {
			s.columns = append(s.columns, &core.FeatureSpecV2{Name: e.GetJoinKey(), ValueType: e.GetValueType()})
		}
	}
	if len(s.entities) == 1 && s.entities[0] == registry.DummyEntity && len(s.columns) == 0 {
		s.columns = append(s.columns, &core.FeatureSpecV2{Name: registry.DummyKey, ValueType: types.ValueType_STRING})
	}
	return joinKeys
}

// fromSource infers entity columns, and features if none are listed, from the columns
// of the source.
func (in *inference) fromSource(s *shape, joinKeys []string, columns []offline.Column) error {
	mapping := s.source.GetFieldMapping()
	skip := originals(mapping, s.source.GetTimestampField(), s.source.GetCreatedTimestampColumn())
	all := len(s.features) == 0
	for _, c := range columns {
		switch {
		case skip[c.Name]:
		case slices.Contains(joinKeys, c.Name):
			if err := s.add(&s.columns, c.Name, c); err != nil {
				return err
			}
		case all && !strings.HasPrefix(c.Name, "__"):
			name := c.Name
			if to, ok := mapping[name]; ok {
				name = to
			}
			if err := s.add(&s.features, name, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// originals are the columns in the source that are mapped to the given ones.
func originals(mapping map[string]string, columns ...string) map[string]bool {
	skip := map[string]bool{}
	for _, c := range columns {
		skip[c] = true
	}
	for _, from := range slices.SortedFunc(maps.Keys(mapping), cmp.Compare[string]) {
		if to := mapping[from]; skip[to] {
			delete(skip, to)
			skip[from] = true
		}
	}
	return skip
}

// add appends the field of a column to a list unless it is there.
func (s *shape) add(list *[]*core.FeatureSpecV2, name string, c offline.Column) error {
	if c.Unmapped != "" {
		return fault.New(fault.Invalid,
			"%s %s: column %s of data source %s has type %s, for which Feast has no value type; list the features in the view's schema, and give its entities a value_type",
			s.kind, s.name, c.Name, s.source.GetName(), c.Unmapped).About("feature view", s.name, "")
	}
	if !has(*list, name) {
		*list = append(*list, &core.FeatureSpecV2{Name: name, ValueType: c.Type, Tags: typeTags(c.Type)})
	}
	return nil
}

// typeTags are Feast's tags for types whose fields or elements cannot be inferred.
func typeTags(t types.ValueType_Enum) map[string]string {
	switch t {
	case types.ValueType_STRUCT, types.ValueType_STRUCT_LIST:
		return map[string]string{"feast:struct_schema": `{"_value": "STRING"}`}
	case types.ValueType_VALUE_LIST:
		return map[string]string{"feast:nested_inner_type": "Array(Array(STRING))"}
	}
	return nil
}

func has(specs []*core.FeatureSpecV2, name string) bool {
	return slices.ContainsFunc(specs, func(s *core.FeatureSpecV2) bool { return s.GetName() == name })
}
