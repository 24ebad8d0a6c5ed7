package training

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// Historical makes a training set: for each entity row the features as of its time.
// What can be refused is refused before a source is read. The caller closes the set;
// when ctx is done, it ends with an error.
func (s *Service) Historical(ctx context.Context, req Request) (*Set, error) {
	plan, err := s.plan(&req)
	if err != nil {
		return nil, err
	}
	if err := s.check(&req, plan); err != nil {
		return nil, err
	}
	var columns *arrow.Schema
	if req.Rows != nil {
		columns = req.Rows.Schema()
	}
	if err := plan.compile(columns, s.opt.Functions); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	set := &Set{Features: plan.features(), close: []func(){cancel}}
	switch {
	case req.Rows != nil:
		err = s.fromRows(ctx, plan, &req, req.Rows, set)
	case req.SQL != "":
		err = s.fromSQL(ctx, plan, &req, set)
	case len(plan.views) == 1:
		err = s.fromRange(ctx, plan, &req, set)
	default:
		err = s.fromMoments(ctx, plan, &req, set)
	}
	if err == nil {
		err = s.compute(ctx, plan, &req, set)
	}
	if err != nil {
		set.Close()
		return nil, err
	}
	return set, nil
}

// EntityTypes are the value types of the columns that the entity rows of a request need,
// for a reader of texts. The event time is a text.
func (s *Service) EntityTypes(req Request) (map[string]types.ValueType_Enum, error) {
	p, err := s.plan(&req)
	if err != nil {
		return nil, err
	}
	kinds := map[string]types.ValueType_Enum{eventTime: types.ValueType_STRING}
	for i := range p.views {
		for _, k := range p.views[i].keys {
			kinds[k.column] = k.kind
		}
	}
	for _, d := range p.onDemand {
		for _, f := range d.View.RequestFields {
			kinds[f.Name] = f.Type
		}
	}
	return kinds, nil
}

// check refuses requests whose entity rows are not given once.
func (s *Service) check(req *Request, p *plan) error {
	span := !req.Start.IsZero() || !req.End.IsZero()
	switch {
	case (req.Rows != nil || req.SQL != "") && span:
		return fault.New(fault.Invalid, "Cannot specify both entity_df and start_date/end_date. "+
			"Use either entity_df for entity-based retrieval or start_date/end_date for timestamp range retrieval.")
	case req.Rows != nil && req.SQL != "":
		return fault.New(fault.Invalid, "the request has entity rows and SQL for entity rows; give one of them")
	case req.Rows == nil && req.SQL == "" && !span:
		return fault.New(fault.Invalid, "the request has no entity rows; give rows, SQL, or a range of time")
	case req.SQL != "" && s.opt.Querier == nil:
		return fault.New(fault.Invalid, "entity rows can be SQL only with an offline store that runs SQL, which this one does not; give the rows themselves")
	case req.Rows != nil || req.SQL != "":
		return nil // for their columns see entities
	case len(p.views) == 0:
		return fault.New(fault.Invalid, "a range of time needs stored features, and on-demand feature view %s reads none; give entity rows", p.onDemand[0].View.Name).
			About("feature view", p.onDemand[0].View.Name, p.project.Name)
	}
	return p.checkRequestData(func(string) bool { return false })
}

// fromSQL makes the entity rows with a query.
func (s *Service) fromSQL(ctx context.Context, p *plan, req *Request, set *Set) error {
	query, cancel := ctx, context.CancelFunc(func() {})
	if s.opt.SQLTimeout > 0 {
		query, cancel = context.WithTimeout(ctx, s.opt.SQLTimeout)
	}
	defer cancel()
	rows, err := s.opt.Querier.Query(query, req.SQL)
	var e *entities
	if err == nil {
		defer rows.Release()
		e, err = s.entities(query, p, req, rows, set)
	}
	if err != nil && fault.KindOf(err) == fault.TimedOut && ctx.Err() == nil {
		return fault.New(fault.TimedOut, "the SQL of the entity rows ran longer than %s; make it faster, or raise the limit", s.opt.SQLTimeout).Because(err)
	}
	if err != nil {
		return err
	}
	return s.join(ctx, p, e, time.Time{}, set)
}

func (s *Service) fromRows(ctx context.Context, p *plan, req *Request, rows array.RecordReader, set *Set) error {
	e, err := s.entities(ctx, p, req, rows, set)
	if err != nil {
		return err
	}
	return s.join(ctx, p, e, time.Time{}, set)
}

// entities reads the entity rows and checks that they fit the views.
func (s *Service) entities(ctx context.Context, p *plan, req *Request, rows array.RecordReader, set *Set) (*entities, error) {
	e, err := newEntities(rows.Schema(), req.At)
	if err != nil {
		return nil, err
	}
	if err := p.checkRequestData(func(name string) bool { return e.column(name) >= 0 }); err != nil {
		return nil, err
	}
	if err := p.checkColumns(e.given(), e.column); err != nil {
		return nil, err
	}
	if err := e.read(ctx, rows, s.opt.Spool, set); err != nil {
		return nil, err
	}
	set.At, set.Notes = e.at, e.notes()
	return e, nil
}

// join joins the views to the entity rows. Rows of the sources before start do not
// count.
func (s *Service) join(ctx context.Context, p *plan, e *entities, start time.Time, set *Set) error {
	if !start.IsZero() {
		p.askTimes()
	}
	all := make([]int, len(e.names))
	for i := range all {
		all[i] = i
	}
	entities, err := e.reader(all)
	if err != nil {
		return err
	}
	set.close = append(set.close, entities.Release)
	set.Timestamp, set.Entities = e.names[e.time], e.spool.Rows()
	set.views, set.Features = p.viewColumns(len(e.names)), p.features()
	parts := []*converted{{in: entities, conversions: conversionsOf(entities.Schema(), e.names, make([]types.ValueType_Enum, len(e.names)))}}
	if len(p.views) > 0 {
		features, err := s.features(ctx, p, e, start, set)
		if err != nil {
			return err
		}
		parts = append(parts, &converted{in: features, conversions: conversionsOf(features.Schema(), set.Features, p.kinds())})
	}
	return set.open(parts...)
}

// features joins the features of the views to the keys and times of the entity rows.
func (s *Service) features(ctx context.Context, p *plan, e *entities, start time.Time, set *Set) (array.RecordReader, error) {
	keys, err := e.reader(p.keyColumns(e))
	if err != nil {
		return nil, err
	}
	set.close = append(set.close, keys.Release)
	join := offline.Join{Entities: keys}
	for i := range p.views {
		join.Views = append(join.Views, p.views[i].join)
	}
	features, err := s.opt.Source.PointInTime(ctx, join)
	if err != nil {
		return nil, err
	}
	set.close = append(set.close, features.Release)
	if start.IsZero() {
		return features, nil
	}
	since, err := newSince(ctx, features, p, start)
	if err != nil {
		return nil, err
	}
	set.close = append(set.close, since.Release)
	return since, nil
}

// conversionsOf makes the conversions of all columns of a schema.
func conversionsOf(schema *arrow.Schema, names []string, kinds []types.ValueType_Enum) []*conversion {
	list := make([]*conversion, 0, len(names))
	for i, f := range schema.Fields() {
		if i < len(names) {
			list = append(list, newConversion(names[i], f.Type, kinds[i]))
		}
	}
	return list
}

// open makes the reader of a set.
func (s *Set) open(parts ...*converted) error {
	columns := 0
	for _, p := range parts {
		columns += p.in.Schema().NumFields()
	}
	r := newRows(parts...)
	if r.schema.NumFields() != columns || columns < len(s.Features) {
		return fault.New(fault.Internal, "a join gave %d columns for %d features", columns, len(s.Features))
	}
	r.ended = func() {
		for _, p := range parts {
			for _, c := range p.conversions {
				if note := c.note(); note != "" {
					s.Notes = append(s.Notes, note)
				}
			}
		}
	}
	s.RecordReader = r
	s.close = append(s.close, r.Release)
	return nil
}
