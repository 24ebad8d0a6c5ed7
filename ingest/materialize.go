package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// view materializes one view: read, write, record.
func (m *Materializer) view(ctx context.Context, v *registry.View, w Window) (Result, error) {
	began := time.Now()
	result := Result{Window: w}
	if w.Start.After(w.End) {
		result.Hint = tooEarly(v, w)
		return result, nil
	}
	l, err := encode.NewLayout(v, m.opt.KeyVersion)
	if err != nil {
		return result, err
	}
	// The next run covers rows that arrive from here on, even if this run still
	// reads them. Sources have microseconds, so the current microsecond is left
	// to the next run, too.
	read := m.opt.Now().Truncate(time.Microsecond)
	rows, err := m.readNewest(ctx, v, w, l)
	if err != nil {
		return result, err
	}
	result.Read, result.NullKeys, result.Keys = rows.read, rows.nullKeys, len(rows.records)
	if result.NullKeys > 0 {
		m.opt.Log.WarnContext(ctx, "rows without a join key were left out",
			slog.String("view", v.Name), slog.Int64("rows", result.NullKeys))
	}
	earlier := pastOf(v, read)
	q := m.questions(v, l)
	out := m.newWriting(v, w, l, rows.records)
	if earlier.cut && out.mode == stores.Replace && len(rows.records) > 0 && q.ask(ctx, offline.Query{Start: after(w.End)}).Rows != 0 {
		out.mode = stores.Newer // the last run may have stored rows later than this window
	}
	err = out.run(ctx)
	result.Written, result.Older = out.stored, out.older
	if err != nil {
		return result, err
	}
	recorded, others, err := m.record(ctx, v, w, read)
	if err != nil {
		return result, err
	}
	result.Overlap = overlap(v.Name, recorded, others)
	result.Elapsed = time.Since(began)
	q.advise(ctx, earlier, recorded, &result)
	return result, nil
}

// readNewest reads the window and keeps the newest row of each key.
func (m *Materializer) readNewest(ctx context.Context, v *registry.View, w Window, l *encode.Layout) (*newest, error) {
	reader, err := m.opt.Offline.Range(ctx, offline.Query{
		Source: v.Batch, Columns: l.Columns(), Types: l.Types(), Timestamp: l.Timestamp(), Created: l.Created(), Start: w.Start, End: w.End,
	})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	rows := newNewest(l)
	for reader.Next() {
		if ctx.Err() != nil {
			return nil, fault.Of(ctx.Err())
		}
		if err := rows.take(reader.RecordBatch()); err != nil {
			return nil, err
		}
	}
	return rows, reader.Err()
}

// record appends the window to the view's intervals and returns the recorded
// interval. It never extends past the moment before the read began, since rows
// that arrived later may have been missed. That moment is also recorded as the
// view's last update, and tells the next run which rows are late. others are
// the windows that other runs have recorded since this one began.
func (m *Materializer) record(ctx context.Context, v *registry.View, w Window, read time.Time) (done interval, others []interval, err error) {
	done = interval{w.Start, w.End}
	if done.end.After(read) {
		if now := m.opt.Now(); done.end.After(now) {
			m.opt.Log.WarnContext(ctx, "the end lies in the future; the window is recorded up to now",
				slog.String("view", v.Name), slog.Time("end", w.End))
		}
		done.end = read
	}
	if done.start.After(done.end) {
		m.opt.Log.WarnContext(ctx, "the whole window lies in the future; it is not recorded",
			slog.String("view", v.Name), slog.Time("start", w.Start))
		return done, nil, nil
	}
	_, err = registry.Update(ctx, m.opt.Storage, func(reg *core.Registry) error {
		others = recordedSince(reg, v)
		return registry.RecordMaterialization(reg, v.Project, v.Name, done.start, done.end, read)
	})
	return done, others, err
}

// recordedSince returns the windows of a view that were recorded after the view
// was loaded. Each run appends one.
func recordedSince(reg *core.Registry, v *registry.View) []interval {
	var now []*core.MaterializationInterval
	for _, f := range reg.GetFeatureViews() {
		if f.GetSpec().GetName() == v.Name && f.GetSpec().GetProject() == v.Project {
			now = f.GetMeta().GetMaterializationIntervals()
		}
	}
	for _, f := range reg.GetStreamFeatureViews() {
		if f.GetSpec().GetName() == v.Name && f.GetSpec().GetProject() == v.Project {
			now = f.GetMeta().GetMaterializationIntervals()
		}
	}
	return spans(now[min(len(v.Intervals), len(now)):])
}
