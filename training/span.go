package training

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// createdTime is Feast's name of the column of created times in a training set.
const createdTime = "created_timestamp"

// span is the range of a request.
func (s *Service) span(p *plan, req *Request) (start, end time.Time, err error) {
	start, end = req.Start, req.End
	if end.IsZero() {
		end = s.opt.Now().UTC()
	}
	if start.IsZero() {
		const usual = 30 * 24 * time.Hour
		var longest time.Duration
		for i := range p.views {
			longest = max(longest, p.views[i].join.TTL)
		}
		if longest == 0 {
			longest = usual
		}
		start = end.Add(-longest)
	}
	if start.After(end) && req.End.IsZero() {
		return start, end, fault.New(fault.Invalid, "the range of time starts at %s, which is after now; give an earlier start, or an end as well", start.UTC().Format(time.RFC3339))
	}
	if start.After(end) {
		return start, end, fault.New(fault.Invalid, "the range of time starts at %s, after its end at %s; exchange them",
			start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339))
	}
	return start, end, nil
}

// fromRange gives the rows of one view as they are.
func (s *Service) fromRange(ctx context.Context, p *plan, req *Request, set *Set) error {
	start, end, err := s.span(p, req)
	if err != nil {
		return err
	}
	v := &p.views[0]
	query := offline.Query{Source: v.join.Source, Timestamp: v.join.Timestamp, Created: v.join.Created, Start: start, End: end}
	names := []string{eventTime}
	var at []int // the columns of the set among those of the query
	for _, k := range v.keys {
		query.Columns, query.Types = append(query.Columns, k.source), append(query.Types, k.kind)
	}
	query.Columns, query.Types = append(query.Columns, v.join.Features...), append(query.Types, v.join.Types...)
	at = append(at, len(query.Columns))
	kinds := []types.ValueType_Enum{types.ValueType_INVALID}
	if v.join.Created != "" {
		at, names, kinds = append(at, len(query.Columns)+1), append(names, createdTime), append(kinds, types.ValueType_INVALID)
	}
	set.views = []viewColumns{{name: v.Name, from: len(names) + len(v.keys), count: len(v.columns)}}
	for i, name := range append(keyNames(v), v.columns...) {
		at, names, kinds = append(at, i), append(names, name), append(kinds, query.Types[i])
	}
	if err := distinct(names); err != nil {
		return err
	}
	in, err := s.opt.Source.Range(ctx, query)
	if err != nil {
		return err
	}
	r, err := project(in, at, names)
	if err != nil {
		in.Release()
		return err
	}
	set.close = append(set.close, r.Release)
	set.Timestamp, set.Entities = eventTime, -1
	return set.open(&converted{in: r, conversions: conversionsOf(r.Schema(), names, kinds)})
}

// fromMoments joins several views to the event times that their keys have in the range.
func (s *Service) fromMoments(ctx context.Context, p *plan, req *Request, set *Set) error {
	start, end, err := s.span(p, req)
	if err != nil {
		return err
	}
	if err := p.sameKeys(); err != nil {
		return err
	}
	views := make([]offline.JoinView, len(p.views))
	for i := range p.views {
		views[i] = p.views[i].join
		for n, k := range p.views[i].keys {
			views[i].Keys = append(views[i].Keys, offline.JoinKey{Column: k.source, Entity: n, Type: k.kind})
		}
	}
	names := append([]string{eventTime}, keyNames(&p.views[0])...)
	if err := distinct(append(slices.Clone(names), p.features()...)); err != nil {
		return err
	}
	in, err := s.opt.Source.Moments(ctx, views, start, end)
	if err != nil {
		return err
	}
	at := []int{len(names) - 1}
	for i := range names[1:] {
		at = append(at, i)
	}
	moments, err := project(in, at, names)
	if err != nil {
		in.Release()
		return err
	}
	defer moments.Release()
	e, err := s.entities(ctx, p, req, moments, set)
	if err != nil {
		return err
	}
	return s.join(ctx, p, e, start, set)
}

// sameKeys refuses views with different join keys, and brings those of all views into
// one order.
func (p *plan) sameKeys() error {
	first := &p.views[0]
	for i := range p.views[1:] {
		v := &p.views[i+1]
		ordered := make([]key, 0, len(first.keys))
		for _, want := range first.keys {
			at := slices.IndexFunc(v.keys, func(k key) bool { return k.column == want.column && k.kind == want.kind })
			if at >= 0 {
				ordered = append(ordered, v.keys[at])
			}
		}
		if len(ordered) != len(first.keys) || len(v.keys) != len(first.keys) {
			return fault.New(fault.Invalid, "a range of time needs views with the same join keys: %s has %s, %s has %s; give entity rows, or ask for the views one by one",
				first.Name, keyList(first), v.Name, keyList(v))
		}
		v.keys = ordered
	}
	return nil
}

func keyNames(v *joined) []string {
	names := make([]string, len(v.keys))
	for i, k := range v.keys {
		names[i] = k.column
	}
	return names
}

func keyList(v *joined) string {
	if len(v.keys) == 0 {
		return "none"
	}
	names := make([]string, len(v.keys))
	for i, k := range v.keys {
		names[i] = k.column + " (" + k.kind.String() + ")"
	}
	return strings.Join(names, ", ")
}

// distinct refuses two columns of a name.
func distinct(names []string) error {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fault.New(fault.Invalid, "the training set would have two columns %q; ask for full feature names, or give entity rows", name)
		}
	}
	return nil
}

// project reads the columns of a reader at some indexes, under other names. Without an
// error it owns the reader.
func project(in array.RecordReader, at []int, names []string) (*projection, error) {
	fields := make([]arrow.Field, len(at))
	for i, column := range at {
		if column >= in.Schema().NumFields() {
			return nil, fault.New(fault.Internal, "a source gave %d columns, of which column %d was needed", in.Schema().NumFields(), column)
		}
		fields[i] = arrow.Field{Name: names[i], Type: in.Schema().Field(column).Type, Nullable: true}
	}
	return newProjection(in, at, fields), nil
}
