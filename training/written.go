package training

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// written is what computing the stored rows of an on-demand view needs.
type written struct {
	*plan
	view *registry.View
	// columns are the columns of join keys that the rows have before the function runs:
	// those of the view, then others of its sources. kinds are their types.
	columns []string
	kinds   []types.ValueType_Enum
	// drivers are the sources, by their place among the plan's views, that have all
	// columns: their rows say which keys there are.
	drivers []int
}

// CheckWritten says in one line why the rows of an on-demand view that is written cannot be
// computed from its sources; nil if they can.
func (s *Service) CheckWritten(project *registry.Project, v *registry.View) error {
	_, err := newWritten(project, v, s.opt.Functions)
	return err
}

// Written computes the rows of an on-demand view that is written. There is a row for each
// key and event time of the newest rows that the view's sources have from start to end, both
// inclusive, with the features that the function makes of the sources as of this time. So a
// key may have several rows; the newest is the one to store.
//
// The columns are the join keys and the features of the view in its order, then the event
// time. Rows of the sources that lack a join key are left out; nulls is called with their
// number.
func (s *Service) Written(ctx context.Context, project *registry.Project, v *registry.View, start, end time.Time, nulls func(rows int64)) (array.RecordReader, error) {
	w, err := newWritten(project, v, s.opt.Functions)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	set := &Set{close: []func(){cancel}}
	r, err := s.written(ctx, w, offline.Query{Start: start, End: end}, nulls, set)
	if err != nil {
		set.Close()
		return nil, err
	}
	return r, nil
}

// newWritten plans the computation.
func newWritten(project *registry.Project, v *registry.View, service transform.Service) (*written, error) {
	w := &written{plan: &plan{project: project}, view: v}
	features := make([]string, len(v.Features))
	for i, f := range v.Features {
		features[i] = f.Name
	}
	if err := w.addOnDemand(&registry.Selected{Name: v.Name, Plain: v.Name, View: v, Features: features}); err != nil {
		return nil, err
	}
	d := w.onDemand[0]
	d.stored = true
	if len(d.sources) == 0 {
		return nil, w.refuse("has no source that is a feature view")
	}
	keys, _ := project.FunctionKeys(v)
	var err error
	if d.program, err = transform.CompileFor(service, v.OnDemand, keys, []*core.FeatureSpecV2{{Name: eventTime, ValueType: types.ValueType_UNIX_TIMESTAMP}}); err != nil {
		return nil, err
	}
	w.narrow(d)
	if err := w.join(nil, &Request{FullNames: true}); err != nil {
		return nil, err
	}
	if err := w.findColumns(); err != nil {
		return nil, err
	}
	return w, w.checkInputs(d)
}

// refuse is the error of a view whose rows cannot be computed, although they can be written.
func (w *written) refuse(why string) error {
	return fault.New(fault.Unimplemented, "on-demand feature view %s %s, so that its rows cannot be computed from its sources; write them, for example with `banquet push --view %s`", w.view.Name, why, w.view.Name).
		About("feature view", w.view.Name, w.view.Project)
}

// narrow leaves out the features of the sources that are not needed.
func (w *written) narrow(d *onDemand) {
	for i := range d.sources {
		s := &d.sources[i]
		needed := slices.DeleteFunc(slices.Clone(s.Features), func(f string) bool {
			return !slices.ContainsFunc(d.program.Inputs(), func(in transform.Input) bool { return in.View == s.View.Name && in.Name == f })
		})
		if len(needed) == 0 {
			needed = s.Features[:min(len(s.Features), 1)]
		}
		s.Features = needed
	}
}

// findColumns finds the columns of join keys, and the sources that have all of them.
func (w *written) findColumns() error {
	kinds := map[string]types.ValueType_Enum{}
	for i := range w.views {
		for _, k := range w.views[i].keys {
			kinds[k.column] = k.kind
		}
	}
	add := func(name string) {
		if !slices.Contains(w.columns, name) {
			w.columns, w.kinds = append(w.columns, name), append(w.kinds, kinds[name])
		}
	}
	if w.view.Entityless && len(kinds) > 0 {
		return w.refuse("has no entities, while its sources have join keys")
	}
	for _, k := range w.view.JoinKeys {
		if w.view.Entityless {
			break
		}
		if _, ok := kinds[k.Name]; !ok {
			return w.refuse("has the join key " + k.Name + ", which no source has")
		}
		add(k.Name)
	}
	for i := range w.views {
		for _, k := range w.views[i].keys {
			add(k.column)
		}
	}
	var have []string
	for i := range w.views {
		v := &w.views[i]
		if len(v.keys) == len(w.columns) {
			w.drivers = append(w.drivers, i)
		}
		have = append(have, v.Name+" has "+keyList(v))
	}
	if len(w.drivers) == 0 {
		return w.refuse("has sources of which none has all join keys (" + strings.Join(have, ", ") + ")")
	}
	return nil
}

// checkInputs refuses a function that needs columns that the rows do not have.
func (w *written) checkInputs(d *onDemand) error {
	for _, in := range d.program.Inputs() {
		switch {
		case in.View != "" || in.Name == eventTime || slices.Contains(w.columns, in.Name):
		case in.Request:
			return w.refuse("needs request data (" + in.Name + ")")
		default:
			return w.refuse("reads the column " + in.Name + ", which is no join key of its sources")
		}
	}
	return nil
}

// written makes the reader of the rows.
func (s *Service) written(ctx context.Context, w *written, window offline.Query, nulls func(rows int64), set *Set) (array.RecordReader, error) {
	// The newest row of a single source is what a join would find for its key and time.
	alone := len(w.views) == 1 && w.views[0].join.TTL >= 0
	keys, err := s.newest(ctx, w, window, alone, set)
	if err != nil {
		return nil, err
	}
	keys.nulls, keys.once = nulls, len(w.drivers) > 1 && w.onDemand[0].program.MixesRows()
	keys.most, keys.tooMany = w.onDemand[0].mostRows(s.opt.WholeCells), func(rows int64) error { return w.onDemand[0].tooMany(rows, s.opt.WholeCells) }
	e, err := newEntities(keys.Schema(), time.Time{})
	if err != nil {
		return nil, err
	}
	if err := w.checkColumns(append(slices.Clone(w.columns), eventTime), func(name string) int { return slices.Index(append(w.columns, eventTime), name) }); err != nil {
		return nil, err
	}
	for i := range w.views {
		clear(w.views[i].hidden) // columns are found by their places
	}
	if alone {
		set.views = w.viewColumns(len(w.columns) + 1)
		names := append(append(slices.Clone(w.columns), eventTime), w.features()...)
		kinds := append(make([]types.ValueType_Enum, len(w.columns)+1), w.plan.kinds()...)
		err = set.open(&converted{in: keys, conversions: conversionsOf(keys.Schema(), names, kinds)})
	} else if err = e.read(ctx, keys, s.opt.Spool, set); err == nil {
		err = s.join(ctx, w.plan, e, time.Time{}, set)
	}
	if err != nil {
		return nil, err
	}
	if err := s.compute(ctx, w.plan, &Request{FullNames: true}, set); err != nil {
		return nil, err
	}
	return w.stored(set), nil
}

// newest reads the columns of the join keys, the event time, and, if asked, the features of
// the newest rows of all drivers.
func (s *Service) newest(ctx context.Context, w *written, window offline.Query, features bool, set *Set) (*present, error) {
	var readers []array.RecordReader
	for _, i := range w.drivers {
		v := &w.views[i]
		q := offline.Query{Source: v.join.Source, Timestamp: v.join.Timestamp, Created: v.join.Created, Start: window.Start, End: window.End}
		var at, keys []int
		for n, name := range w.columns {
			k := slices.IndexFunc(v.keys, func(k key) bool { return k.column == name })
			q.Columns, q.Types = append(q.Columns, v.keys[k].source), append(q.Types, v.keys[k].kind)
			at, keys = append(at, n), append(keys, n)
		}
		names := append(slices.Clone(w.columns), eventTime)
		if features {
			q.Columns, q.Types = append(q.Columns, v.join.Features...), append(q.Types, v.join.Types...)
			names = append(names, v.columns...)
		}
		at = append(at, len(q.Columns))
		for n := len(keys); n < len(q.Columns); n++ {
			at = append(at, n)
		}
		in, err := s.opt.Source.Latest(ctx, q, keys)
		if err != nil {
			return nil, err
		}
		r, err := project(in, at, names)
		if err != nil {
			in.Release()
			return nil, err
		}
		readers, set.close = append(readers, r), append(set.close, r.Release)
	}
	p := newPresent(ctx, readers, w)
	set.close = append(set.close, p.Release)
	return p, nil
}

// stored reads the columns of the stored rows. It owns the set.
func (w *written) stored(set *Set) array.RecordReader {
	computed := set.views[len(set.views)-1]
	var at []int
	var fields []arrow.Field
	add := func(column int, name string) {
		at = append(at, column)
		fields = append(fields, arrow.Field{Name: name, Type: set.Schema().Field(column).Type, Nullable: true})
	}
	for i, k := range w.view.JoinKeys {
		if !w.view.Entityless {
			add(i, k.Name)
		}
	}
	for i, f := range w.view.Features {
		add(computed.from+i, f.Name)
	}
	add(len(w.columns), eventTime)
	schema := arrow.NewSchema(fields, nil)
	return offline.NewReader(schema, func(yield func(arrow.RecordBatch, error) bool) {
		for set.Next() {
			columns := make([]arrow.Array, len(at))
			for i, column := range at {
				columns[i] = set.RecordBatch().Column(column)
			}
			if !yield(array.NewRecordBatch(schema, columns, set.RecordBatch().NumRows()), nil) {
				return
			}
		}
		if err := set.Err(); err != nil {
			yield(nil, err)
		}
	}, set.Close)
}
