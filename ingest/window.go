package ingest

import (
	"log/slog"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// A view without a ttl and without an earlier window starts this long ago.
const year = 52 * 7 * 24 * time.Hour

// writeTag is the view tag that protects rows that others write, too.
const writeTag = "banquet.write"

// sinceLast is the window since the last one.
func (m *Materializer) sinceLast(v *registry.View, end time.Time) (Window, error) {
	now := m.opt.Now()
	w := Window{View: v.Name, End: end}
	last, found := lastEnd(v)
	switch {
	case found && last.After(now):
		// Somebody recorded an end that had not come yet; taken as it is, no row
		// would be found until then.
		m.opt.Log.Warn("a recorded window ends in the future; continuing from now",
			slog.String("view", v.Name), slog.Time("end", last))
		w.Start = lastEndBefore(v, now)
	case found:
		w.Start = last
	case v.TTL > 0:
		w.Start = now.Add(-v.TTL)
	case hasTTL(v):
		w.Start, w.Assumed = now.Add(-year), true
	default:
		return w, fault.New(fault.Invalid, "No start time found for feature view %s. materialize_incremental() requires either a ttl to be set or for materialize() to have been run at least once.", v.Name).
			About("feature view", v.Name, v.Project)
	}
	return w, nil
}

// past is what the registry records of a view's earlier runs.
type past struct {
	// end is the end of the last window; zero if there was none.
	end time.Time
	// read is when the rows of the last run were read. A run records that as
	// the view's last update, since the intervals do not contain it: a window
	// often ends hours before its rows are created and read, and all of them
	// would count as late. A change of the definition updates the view, too:
	// rows that arrived between the run and the change do not count as late.
	read time.Time
	// cut is set when the last window was cut at the time of its read, since
	// its end lay in the future: rows after that time may be stored.
	cut bool
}

func pastOf(v *registry.View, now time.Time) past {
	end, found := lastEnd(v)
	if !found {
		return past{}
	}
	if end.After(now) {
		end = lastEndBefore(v, now)
	}
	var meta *core.FeatureViewMeta
	switch m := v.Message.(type) {
	case *core.FeatureView:
		meta = m.GetMeta()
	case *core.StreamFeatureView:
		meta = m.GetMeta()
	}
	p := past{end: end, read: end}
	if updated := meta.GetLastUpdatedTimestamp().AsTime(); !updated.Before(end) {
		p.read, p.cut = updated, updated.Equal(end)
	}
	return p
}

func lastEnd(v *registry.View) (time.Time, bool) {
	var last time.Time
	for _, i := range v.Intervals {
		if end := i.GetEndTime().AsTime(); end.After(last) {
			last = end
		}
	}
	return last, len(v.Intervals) > 0
}

// lastEndBefore is the newest recorded end that is not after now; if all are,
// it is the start of the earliest wrong interval, so that nothing is skipped.
func lastEndBefore(v *registry.View, now time.Time) time.Time {
	var last, start time.Time
	for _, i := range v.Intervals {
		end := i.GetEndTime().AsTime()
		if !end.After(now) {
			if end.After(last) {
				last = end
			}
			continue
		}
		if s := i.GetStartTime().AsTime(); start.IsZero() || s.Before(start) {
			start = s
		}
	}
	if last.IsZero() {
		return start
	}
	return last
}

// hasTTL reports whether the view has a ttl message; a batch feature view may
// lack it.
func hasTTL(v *registry.View) bool {
	switch m := v.Message.(type) {
	case *core.FeatureView:
		return m.GetSpec().GetTtl() != nil
	case *core.StreamFeatureView:
		return m.GetSpec().GetTtl() != nil
	}
	return false
}

// mode tells whether stored rows may be newer than those of the window: then
// each row is compared, which costs one call per row.
func mode(v *registry.View, w Window) stores.Mode {
	last, found := lastEnd(v)
	switch {
	case v.Stream != nil, v.Kind == registry.StreamView, v.Tags[writeTag] == "newer":
		return stores.Newer
	case found && w.Start.Before(last):
		return stores.Newer
	}
	return stores.Replace
}

// stamp writes a time as Feast prints it: whole seconds, UTC.
func stamp(t time.Time) string {
	return t.UTC().Truncate(time.Second).Format("2006-01-02 15:04:05+00:00")
}

// argument writes a time in the form of a command-line argument, which has the
// years 1 to 9999: no window includes rows outside of them.
func argument(t time.Time) string {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	if t.Before(first) {
		t = first
	}
	if t.After(last) {
		t = last
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}
