package ingest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// task is a plan that is being carried out.
type task struct {
	*Materializer
	plan
	layout *encode.Layout
	// read is when reading began, here or in the run that this one continues.
	read   time.Time
	before outcome // of the run that this one continues
	result Result
	// kept is set when the run failed and can be continued.
	kept bool
}

// window materializes one window of a view: read, write, record.
func (m *Materializer) window(ctx context.Context, p plan) (t *task, err error) {
	began := time.Now()
	t = &task{Materializer: m, plan: p, result: Result{Window: p.Window}}
	if p.Start.After(p.End) {
		t.result.Hint = tooEarly(p.view, p.Window)
		return t, nil
	}
	if t.layout, err = encode.NewLayout(p.view, m.opt.KeyVersion); err != nil {
		return t, err
	}
	// The next run covers rows that arrive from here on, even if this run still
	// reads them. Sources have microseconds, so the current microsecond is left
	// to the next run, too.
	t.read = m.opt.Now().UTC().Truncate(time.Microsecond)
	if t.resumed != nil {
		t.read, t.before = t.resumed.Read, outcome{stored: t.resumed.Stored, older: t.resumed.Older}
		t.result.Written, t.result.Older, t.result.Resumed = t.before.stored, t.before.older, t.before.stored
		m.observe(func(o *Observer) {
			if o.Resumed != nil {
				o.Resumed(p.Window, t.before.all())
			}
		})
	}
	if p.dry {
		err = t.estimate(ctx)
	} else {
		err = t.run(ctx)
	}
	t.result.Elapsed = time.Since(began)
	return t, err
}

// run reads, writes and records.
func (t *task) run(ctx context.Context) error {
	if t.old {
		t.result.Hint = fmt.Sprintf("%s: version v%d is not the current one; its rows go to a table of its own, and the window is not recorded", t.View, t.view.Version)
		return t.move(ctx, nil)
	}
	if t.view.Kind == registry.OnDemandView {
		return t.compute(ctx)
	}
	kept, err := t.checkpoint(ctx, recordName(t.view, t.shard), t.newRecord())
	if err != nil {
		return err
	}
	for _, name := range t.replaced {
		if kept != nil && name != kept.name {
			t.forget(ctx, name)
		}
	}
	if err := t.move(ctx, kept); err != nil {
		t.kept = kept.fail(ctx)
		return err
	}
	if t.shard.Count > 1 {
		return t.finishShard(ctx, kept)
	}
	past := pastOf(t.view, t.read)
	recorded, others, err := t.record(ctx)
	if err != nil {
		t.kept = kept.fail(ctx)
		return err
	}
	kept.finish(ctx, recorded.end)
	t.result.Overlap = overlap(t.View, recorded, others)
	t.questions().advise(ctx, past, recorded, &t.result)
	return nil
}

// newRecord is the record with which the run begins.
func (t *task) newRecord() runRecord {
	r := runRecord{
		Start: t.Start.UTC(), End: t.End.UTC(), Incremental: t.incremental, Read: t.read, Fingerprint: t.fingerprint,
		Intervals: len(t.view.Intervals), Shard: t.shard, Reach: t.inherited,
	}
	if old := t.resumed; old != nil {
		r.Done, r.DoneEvent, r.Stored, r.Older, r.Intervals = old.Done, old.DoneEvent, old.Stored, old.Older, old.Intervals
	}
	return r
}

// gather reads the window. The caller closes the reading's pile.
func (t *task) gather(ctx context.Context) (*reading, error) {
	r := &reading{
		store: t.opt.Offline, readers: t.readers(), view: t.view, layout: t.layout, take: t.takes(), vector: encode.NewVector(t.view), pile: newPile(t.spool(), workers()),
	}
	r.progress = func() {
		t.observe(func(o *Observer) {
			if o.Reading != nil {
				o.Reading(t.Window, r.rows.Load()) // read here, one caller at a time, so that it never falls
			}
		})
	}
	r.computed = t.computed(r)
	err := r.read(ctx, t.Window)
	t.result.Read, t.result.NullKeys = r.rows.Load(), r.nullKeys.Load()
	if err != nil {
		return r, err
	}
	if t.result.NullKeys > 0 {
		t.opt.Log.WarnContext(ctx, "rows without a join key were left out",
			slog.String("view", t.View), slog.Int64("rows", t.result.NullKeys))
	}
	r.pile.settle()
	return r, nil
}

// takes chooses the keys of this run: those of its shard that the run which it
// continues has not stored.
func (t *task) takes() func(key []byte) bool {
	var done []byte
	if t.resumed != nil {
		done = t.resumed.Done
	}
	return func(key []byte) bool {
		return (len(done) == 0 || bytes.Compare(key, done) > 0) && t.shard.has(key)
	}
}

// move reads the window and writes its rows.
func (t *task) move(ctx context.Context, kept *checkpoint) error {
	rows, err := t.gather(ctx)
	defer rows.pile.close()
	if err != nil {
		return err
	}
	keys, err := rows.count(ctx, nil)
	if err != nil {
		return err
	}
	t.result.Keys = t.before.all() + keys
	w := t.newWriting(t.view, t.layout, t.mode(ctx, keys))
	w.progress = func(rows int) {
		t.observe(func(o *Observer) {
			if o.Written != nil {
				o.Written(t.Window, t.before.all()+rows, t.result.Keys)
			}
		})
	}
	kept.follow(w)
	sorted, err := rows.pile.rows()
	if err != nil {
		return err
	}
	err = w.run(ctx, sorted)
	t.result.Written, t.result.Older = t.before.stored+w.total.stored, t.before.older+w.total.older
	return err
}

// mode chooses how rows are written. Where the store may have rows later than the
// window, which the source tells, each row is compared. What the run was planned with
// does not count: other runs may have begun and ended since.
func (t *task) mode(ctx context.Context, keys int) stores.Mode {
	if t.old || t.view.Kind == registry.OnDemandView {
		return stores.Newer // nobody knows what others have stored
	}
	now, err := t.views(ctx, []string{t.View})
	if err != nil {
		return stores.Newer
	}
	view := now[0]
	m := mode(view, t.Window)
	if m == stores.Newer || keys == 0 {
		return m
	}
	reach := t.reach
	for _, r := range t.recordsOf(ctx, view) {
		reach = later(reach, r.reach())
	}
	if !pastOf(view, t.read).cut && !reach.After(t.End) {
		return m
	}
	if t.questions().ask(ctx, offline.Query{Start: after(t.End)}).Rows != 0 {
		return stores.Newer
	}
	return m
}

// record appends the window to the view's intervals and returns the recorded
// interval. It never extends past the moment before the read began, since rows
// that arrived later may have been missed. That moment is also recorded as the
// view's last update, and tells the next run which rows are late. others are
// the windows that other runs have recorded since this one began.
func (t *task) record(ctx context.Context) (done interval, others []interval, err error) {
	done = interval{t.Start, t.End}
	if done.end.After(t.read) {
		if now := t.opt.Now(); done.end.After(now) {
			t.opt.Log.WarnContext(ctx, "the end lies in the future; the window is recorded up to now",
				slog.String("view", t.View), slog.Time("end", t.End))
		}
		done.end = t.read
	}
	if done.start.After(done.end) {
		t.opt.Log.WarnContext(ctx, "the whole window lies in the future; it is not recorded",
			slog.String("view", t.View), slog.Time("start", t.Start))
		return done, nil, nil
	}
	_, err = registry.Update(ctx, t.opt.Storage, func(reg *core.Registry) error {
		others = recordedSince(reg, t.view, len(t.view.Intervals))
		return registry.RecordMaterialization(reg, t.view.Project, t.View, done.start, done.end, t.read)
	})
	return done, others, err
}

// recordedSince returns the windows of a view from the one with a number on. Each
// run appends one.
func recordedSince(reg *core.Registry, v *registry.View, number int) []interval {
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
	return spans(now[min(number, len(now)):])
}
