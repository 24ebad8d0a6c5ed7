package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// plan is a view with one window to materialize.
type plan struct {
	Window
	// inProject is the project of the view, if its rows are computed.
	inProject   *registry.Project
	view        *registry.View
	incremental bool
	shard       Shard
	dry         bool
	// old is set for a version of the view that is not its current one: the run is
	// neither recorded nor continued.
	old         bool
	fingerprint string
	// resumed is the unfinished run that this one continues.
	resumed *runRecord
	// replaced are the records that the record of this run makes superfluous.
	replaced []string
	// reach is an event time up to which other runs may have stored rows that no
	// recorded window contains. inherited is that of the runs whose records this one
	// replaces, which it has to remember.
	reach, inherited time.Time
	// again is set for a second window: the view is read anew before it.
	again bool
}

// plans are the windows of a view: one, or two when an incremental run first
// continues an unfinished one.
func (m *Materializer) plans(ctx context.Context, req Request, v *registry.View, w Window, incremental bool) ([]plan, error) {
	p := plan{Window: w, view: v, incremental: incremental, shard: req.Shard, dry: req.DryRun, fingerprint: fingerprint(v, m.opt.KeyVersion)}
	if req.DryRun {
		return []plan{p}, nil
	}
	records := m.recordsOf(ctx, v)
	if req.Shard.Count > 1 {
		return m.planShard(ctx, p, records, req.Restart)
	}
	for _, r := range records {
		if err := m.consider(ctx, &p, r, req.Restart); err != nil {
			return nil, err
		}
	}
	if p.resumed == nil || !incremental {
		return []plan{p}, nil
	}
	first, second := p, p
	first.Start, first.End, first.Assumed = p.resumed.Start, p.resumed.End, false
	if first.End.Equal(w.End) {
		return []plan{first}, nil
	}
	second.resumed, second.replaced, second.again = nil, nil, true
	second.Start, second.Assumed = earlier(first.End, p.resumed.Read), false
	return []plan{first, second}, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// consider decides what a record means for a run: the run continues it, replaces
// it, or leaves it to a run that continues it later.
func (m *Materializer) consider(ctx context.Context, p *plan, r found, restart bool) error {
	if r.committed(p.view) {
		m.forget(ctx, r.name) // it was stopped between its last two steps
		return nil
	}
	reach := r.reach()
	defer func() { p.reach = later(p.reach, reach) }() // also of a run that goes on
	if !r.Ended && r.alive(time.Now()) {
		return nil
	}
	why, err := m.useless(ctx, p, &r.runRecord, restart)
	switch {
	case err != nil:
		return err
	case why != "":
		m.note(ctx, p, &r.runRecord, why)
	case !r.Ended && !p.fits(&r.runRecord):
		return nil // another run may continue it
	case !r.Ended && p.resumed == nil: // of two runs of a window that were stopped one is enough
		p.resumed, reach = &r.runRecord, r.Reach
	}
	p.inherited = later(p.inherited, reach)
	p.replaced = append(p.replaced, r.name)
	return nil
}

// useless tells why an unfinished run is not continued, now or later; empty if it
// may be.
func (m *Materializer) useless(ctx context.Context, p *plan, r *runRecord, restart bool) (why string, err error) {
	if r.Ended {
		return "", nil
	}
	if why := m.outdated(p, r); why != "" || !p.fits(r) {
		return why, nil
	}
	if restart {
		return "the run is to start from the beginning", nil
	}
	return m.lost(ctx, p, r)
}

// note says that an unfinished run is not continued.
func (m *Materializer) note(ctx context.Context, p *plan, r *runRecord, why string) {
	m.opt.Log.WarnContext(ctx, fmt.Sprintf("the unfinished run from %s to %s is not continued: %s", stamp(r.Start), stamp(r.End), why),
		slog.String("view", p.View), slog.Int("stored", r.Stored))
}

// fits reports whether the run may continue an unfinished one: one of the same
// window, or, if it is incremental, the incremental one that it follows.
func (p *plan) fits(r *runRecord) bool {
	if r.Shard.Count > 1 {
		return false
	}
	if r.Start.Equal(p.Start) && r.End.Equal(p.End) {
		return true
	}
	if !p.incremental || !r.Incremental || r.End.After(p.End) {
		return false
	}
	return len(p.view.Intervals) == 0 || r.Start.Equal(p.Start)
}

// outdated tells why no run may continue an unfinished one; empty if one may.
func (m *Materializer) outdated(p *plan, r *runRecord) string {
	switch {
	case r.Fingerprint != p.fingerprint:
		return "the definition of the view has changed since"
	case len(p.view.Intervals) < r.Intervals:
		return "the view was made anew since"
	case m.opt.Now().Sub(r.Read).Abs() > recordAge:
		return "it is older than a day"
	}
	return ""
}

// lost tells that the store has not the last row anymore that an unfinished run
// has stored: it may be another store, or its table may have been made anew. A store
// that does not answer now is an error: it may have the row.
func (m *Materializer) lost(ctx context.Context, p *plan, r *runRecord) (why string, err error) {
	reader, ok := m.opt.Online.(stores.Reader)
	if !ok || len(r.Done) == 0 || len(p.view.Features) == 0 {
		return "", nil
	}
	rows, err := reader.Read(ctx, []stores.Read{{
		Table:    stores.Table{Project: p.view.Project, View: p.view.Name, Version: p.view.TableVersion},
		Features: stores.NewSelection(p.view.Features[0].Name), Keys: [][]byte{r.Done}, Consistent: true,
	}})
	found := false
	if err == nil {
		defer rows.Release()
		row := &rows.Reads[0][0]
		found, err = row.Found && !row.Event.Before(r.DoneEvent.Truncate(time.Second)), row.Err
	}
	switch kind := fault.KindOf(err); {
	case err == nil && found:
		return "", nil
	case err == nil:
		return "the store has not the rows anymore that it has stored", nil
	case kind == fault.Canceled:
		return "", err
	case kind == fault.Unavailable, kind == fault.TimedOut, kind == fault.Overloaded:
		return "", fault.Store(kind, "feature view %s: the rows of the unfinished run from %s to %s cannot be checked: %s; try again to continue it, or start over with --restart",
			p.View, stamp(r.Start), stamp(r.End), fault.Of(err).Text).About("feature view", p.View, p.view.Project).Because(err)
	}
	return "the rows that it has stored cannot be read", nil
}
