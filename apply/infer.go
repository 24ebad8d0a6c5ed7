package apply

import (
	"context"
	"regexp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Columns tells the columns of a data source; an offline store does.
type Columns interface {
	Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error)
}

// The entity that stands for none, and its join key.
const (
	dummyEntity = "__dummy"
	dummyKey    = "__dummy_id"
)

// internalColumn matches columns that are not taken for features.
func internalColumn() *regexp.Regexp { return regexp.MustCompile(`^__|__$`) }

// Infer completes definitions from their sources, as Feast does at apply: the
// time column of a file source, the entity columns of views, the features of
// views that list none, and the features of services over such views. It
// changes the objects in place and asks the source only where something is
// missing.
func Infer(ctx context.Context, objects *registry.Objects, columns Columns) error {
	in := &inference{
		ctx: ctx, columns: columns, internal: internalColumn(),
		entities: map[string]*core.EntitySpecV2{}, views: map[string]*core.FeatureViewSpec{},
		known: map[string][]offline.Column{},
	}
	for _, e := range objects.Entities {
		in.entities[e.GetSpec().GetName()] = e.GetSpec()
	}
	for _, s := range objects.DataSources {
		if err := in.timeColumn(s); err != nil {
			return err
		}
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
		in.labelView(v.GetSpec())
	}
	for _, v := range objects.OnDemandFeatureViews {
		if err := in.onDemandView(v.GetSpec()); err != nil {
			return err
		}
	}
	for _, s := range objects.FeatureServices {
		in.service(s.GetSpec())
	}
	return nil
}

type inference struct {
	ctx      context.Context //nolint:containedctx // lives for one call of Infer
	columns  Columns
	internal *regexp.Regexp
	entities map[string]*core.EntitySpecV2
	views    map[string]*core.FeatureViewSpec
	known    map[string][]offline.Column
}

// of gives the columns of a source, asking once for each.
func (in *inference) of(source *core.DataSource) ([]offline.Column, error) {
	id, err := proto.MarshalOptions{Deterministic: true}.Marshal(source)
	if err != nil {
		return nil, err
	}
	if c, ok := in.known[string(id)]; ok {
		return c, nil
	}
	c, err := in.columns.Columns(in.ctx, source)
	if err != nil {
		return nil, err
	}
	in.known[string(id)] = c
	return c, nil
}

// timeColumn finds the event time of a file source that names none: its one
// timestamp column.
func (in *inference) timeColumn(source *core.DataSource) error {
	if source.GetBatchSource() != nil {
		return in.timeColumn(source.GetBatchSource())
	}
	if source.GetTimestampField() != "" || source.GetType() != core.DataSource_BATCH_FILE {
		return nil
	}
	columns, err := in.of(source)
	if err != nil {
		return err
	}
	var times []string
	for _, c := range columns {
		if c.Type == types.ValueType_UNIX_TIMESTAMP && c.Name != source.GetCreatedTimestampColumn() {
			times = append(times, c.Name)
		}
	}
	if len(times) != 1 {
		return fault.New(fault.Invalid, "data source %s: its event time cannot be told, it has %d timestamp columns; set timestamp_field",
			source.GetName(), len(times)).About("data source", source.GetName(), source.GetProject())
	}
	source.TimestampField = times[0]
	return nil
}

// shape is what inference completes in any kind of view.
type shape struct {
	name     string
	source   *core.DataSource
	entities []string
	columns  []*core.FeatureSpecV2 // entity columns
	features []*core.FeatureSpecV2
}

func (in *inference) featureView(spec *core.FeatureViewSpec) error {
	s := shape{spec.GetName(), spec.GetBatchSource(), spec.GetEntities(), spec.GetEntityColumns(), spec.GetFeatures()}
	if err := in.complete(&s); err != nil {
		return err
	}
	spec.EntityColumns, spec.Features = s.columns, s.features
	in.views[spec.GetName()] = spec
	return nil
}

func (in *inference) streamView(spec *core.StreamFeatureViewSpec) error {
	s := shape{spec.GetName(), spec.GetBatchSource(), spec.GetEntities(), spec.GetEntityColumns(), spec.GetFeatures()}
	if err := in.complete(&s); err != nil {
		return err
	}
	spec.EntityColumns, spec.Features = s.columns, s.features
	in.views[spec.GetName()] = &core.FeatureViewSpec{
		Name: spec.GetName(), Features: spec.GetFeatures(), EntityColumns: spec.GetEntityColumns(), BatchSource: spec.GetBatchSource(),
	}
	return nil
}

// labelView takes its entity columns from its entities; labels are always
// listed.
func (in *inference) labelView(spec *core.LabelViewSpec) {
	s := shape{name: spec.GetName(), entities: spec.GetEntities(), columns: spec.GetEntityColumns(), features: spec.GetFeatures()}
	in.split(&s)
	spec.EntityColumns, spec.Features = s.columns, s.features
	in.views[spec.GetName()] = &core.FeatureViewSpec{Name: spec.GetName(), Features: spec.GetFeatures(), EntityColumns: spec.GetEntityColumns()}
}

// complete fills the entity columns and features of a view.
func (in *inference) complete(s *shape) error {
	joinKeys := in.split(s)
	if len(s.columns) >= len(joinKeys) && len(s.features) > 0 || s.source == nil {
		return nil
	}
	columns, err := in.of(s.source)
	if err != nil {
		return err
	}
	in.fromSource(s, joinKeys, columns)
	if len(s.features) == 0 {
		return fault.New(fault.Invalid, "feature view %s: its source has no column that could be a feature; list its schema", s.name).
			About("feature view", s.name, "")
	}
	return nil
}

// split moves listed columns that are join keys to the entity columns and adds
// those of entities that say their type. It returns the join keys.
func (in *inference) split(s *shape) []string {
	var joinKeys []string
	for _, name := range s.entities {
		if e, ok := in.entities[name]; ok {
			joinKeys = append(joinKeys, e.GetJoinKey())
		}
	}
	features := s.features[:0:0]
	for _, f := range s.features {
		switch {
		case !slices.Contains(joinKeys, f.GetName()):
			features = append(features, f)
		case !has(s.columns, f.GetName()):
			s.columns = append(s.columns, f)
		}
	}
	s.features = features
	for _, name := range s.entities {
		e, ok := in.entities[name]
		if ok && name != dummyEntity && e.GetValueType() != types.ValueType_INVALID && !has(s.columns, e.GetJoinKey()) {
			s.columns = append(s.columns, &core.FeatureSpecV2{Name: e.GetJoinKey(), ValueType: e.GetValueType()})
		}
	}
	if len(s.entities) == 1 && s.entities[0] == dummyEntity && len(s.columns) == 0 {
		s.columns = append(s.columns, &core.FeatureSpecV2{Name: dummyKey, ValueType: types.ValueType_STRING})
		joinKeys = []string{dummyKey}
	}
	return joinKeys
}

// fromSource takes entity columns, and features when none are listed, from the
// columns of the source.
func (in *inference) fromSource(s *shape, joinKeys []string, columns []offline.Column) {
	mapping := s.source.GetFieldMapping()
	skip := []string{s.source.GetTimestampField(), s.source.GetCreatedTimestampColumn()}
	for from, to := range mapping {
		if i := slices.Index(skip, to); i >= 0 {
			skip[i] = from
		}
	}
	all := len(s.features) == 0
	for _, c := range columns {
		switch {
		case slices.Contains(skip, c.Name):
		case slices.Contains(joinKeys, c.Name):
			if !has(s.columns, c.Name) {
				s.columns = append(s.columns, &core.FeatureSpecV2{Name: c.Name, ValueType: c.Type})
			}
		case all && !in.internal.MatchString(c.Name):
			name := c.Name
			if to, ok := mapping[name]; ok {
				name = to
			}
			if !has(s.features, name) {
				s.features = append(s.features, &core.FeatureSpecV2{Name: name, ValueType: c.Type})
			}
		}
	}
}

func has(specs []*core.FeatureSpecV2, name string) bool {
	return slices.ContainsFunc(specs, func(s *core.FeatureSpecV2) bool { return s.GetName() == name })
}

// onDemandView completes the projections that an on-demand view computes from.
func (in *inference) onDemandView(spec *core.OnDemandFeatureViewSpec) error {
	for _, source := range spec.GetSources() {
		if p := source.GetFeatureViewProjection(); p != nil {
			in.projection(p)
		}
	}
	s := shape{name: spec.GetName(), entities: spec.GetEntities(), columns: spec.GetEntityColumns(), features: spec.GetFeatures()}
	in.split(&s)
	spec.EntityColumns, spec.Features = s.columns, s.features
	in.views[spec.GetName()] = &core.FeatureViewSpec{Name: spec.GetName(), Features: spec.GetFeatures()}
	return nil
}

func (in *inference) service(spec *core.FeatureServiceSpec) {
	for _, p := range spec.GetFeatures() {
		in.projection(p)
	}
}

// projection fills what a projection over a view without a schema could not
// know: all features when it lists none, the types of those it lists.
func (in *inference) projection(p *core.FeatureViewProjection) {
	view, ok := in.views[p.GetFeatureViewName()]
	if !ok {
		return
	}
	if len(p.GetFeatureColumns()) == 0 {
		for _, f := range view.GetFeatures() {
			p.FeatureColumns = append(p.FeatureColumns, cloneSpec(f))
		}
		return
	}
	for i, f := range p.GetFeatureColumns() {
		if f.GetValueType() != types.ValueType_INVALID {
			continue
		}
		for _, known := range view.GetFeatures() {
			if known.GetName() == f.GetName() {
				p.FeatureColumns[i] = cloneSpec(known)
			}
		}
	}
}

func cloneSpec(f *core.FeatureSpecV2) *core.FeatureSpecV2 {
	c, _ := proto.Clone(f).(*core.FeatureSpecV2)
	return c
}
