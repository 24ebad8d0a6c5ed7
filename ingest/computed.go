package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Computer computes the rows of on-demand feature views that are written.
type Computer interface {
	// CheckWritten says in one line why the rows of a view cannot be computed from its
	// sources; nil if they can.
	CheckWritten(project *registry.Project, v *registry.View) error
	// Written computes the rows for the event times of a window, both ends inclusive: the
	// join keys and the features of the view in its order, then the event time. A key may
	// have several rows. nulls is called, by the reader's goroutine, with the number of rows
	// that were left out since they lack a join key. The caller releases the reader.
	Written(ctx context.Context, project *registry.Project, v *registry.View, start, end time.Time, nulls func(rows int64)) (array.RecordReader, error)
}

// checkComputed refuses an on-demand view whose rows cannot be computed.
func (m *Materializer) checkComputed(project *registry.Project, v *registry.View) error {
	if m.opt.Computer == nil {
		return fault.New(fault.Unimplemented, "on-demand feature view %s cannot be materialized from this offline store; write its inputs, for example with `banquet push --view %s`", v.Name, v.Name).
			About("feature view", v.Name, v.Project)
	}
	return m.opt.Computer.CheckWritten(project, v)
}

// sinceTTL is the window of an incremental run of an on-demand view: as in Feast, which
// records no windows of such views, the largest ttl of its sources, or a year.
func sinceTTL(project *registry.Project, v *registry.View, end time.Time) Window {
	var longest time.Duration
	for _, s := range project.Sources(v) {
		if s.View != nil {
			longest = max(longest, s.View.TTL)
		}
	}
	if longest == 0 {
		longest = year
	}
	return Window{View: v.Name, Start: end.Add(-longest), End: end}
}

// computed opens the reader of the rows of an on-demand view; nil for any other view.
func (t *task) computed(r *reading) func(ctx context.Context, w Window) (array.RecordReader, error) {
	if t.view.Kind != registry.OnDemandView {
		return nil
	}
	return func(ctx context.Context, w Window) (array.RecordReader, error) {
		return t.opt.Computer.Written(ctx, t.inProject, t.view, w.Start, w.End, func(rows int64) {
			r.rows.Add(rows)
			r.nullKeys.Add(rows)
		})
	}
}

// compute writes the rows of an on-demand view. Windows of such views are not recorded, and
// a run that stops starts over: its inputs may have changed since.
func (t *task) compute(ctx context.Context) error {
	if err := t.move(ctx, nil); err != nil {
		return err
	}
	if t.result.Keys == 0 && t.shard.Count <= 1 {
		t.result.Hint = t.sourceHint(ctx)
	}
	return nil
}

// sourceHint tells where the rows of the sources lie when a window of an on-demand view holds
// none.
func (t *task) sourceHint(ctx context.Context) string {
	var all offline.Span
	for _, s := range t.inProject.Sources(t.view) {
		if s.View == nil || s.View.Batch == nil {
			continue
		}
		layout, err := encode.NewLayout(s.View, t.opt.KeyVersion)
		if err != nil {
			return ""
		}
		q := questions{store: t.opt.Offline, view: s.View, layout: layout, log: t.opt.Log}
		found := q.ask(ctx, offline.Query{})
		if found.Rows < 0 {
			return ""
		}
		all = join(all, found)
	}
	switch {
	case all.Rows == 0:
		return t.View + ": its sources hold no row with an event time"
	case t.result.Read > 0:
		return fmt.Sprintf("%s: no row between %s and %s has all its join keys", t.View, stamp(t.Start), stamp(t.End))
	}
	return fmt.Sprintf("%s: its sources have no row between %s and %s; to materialize all of them: %s", t.View, stamp(t.Start), stamp(t.End), command(t.View, all))
}
