package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// adviceTime is how long the questions to the source may take whose answers are
// only for advice.
const adviceTime = 10 * time.Second

// interval is a span of event times, both ends inclusive.
type interval struct{ start, end time.Time }

// advise looks for rows that no run has taken. It is a courtesy: when the source
// cannot tell, nothing is said.
func (m *Materializer) advise(ctx context.Context, v *registry.View, l *encode.Layout, recorded interval, r *Result) {
	ctx, cancel := context.WithTimeout(ctx, adviceTime)
	defer cancel()
	span := func(q offline.Query) offline.Span {
		q.Source, q.Timestamp, q.Created = v.Batch, l.Timestamp(), l.Created()
		s, err := m.opt.Offline.Span(ctx, q)
		if err != nil {
			m.opt.Log.DebugContext(ctx, "no advice about the source", slog.String("view", v.Name), slog.Any("error", err))
			return offline.Span{Rows: -1}
		}
		return s
	}
	if !r.lastRun.IsZero() && l.Created() != "" {
		// The window takes its own start: what lies before it ends just before.
		s := span(offline.Query{End: r.Start.Add(-time.Nanosecond), CreatedAfter: r.lastRun})
		r.Late = late(r.Window, s)
	}
	if r.Written+r.Older == 0 {
		r.Hint = hint(r, intervals(v, recorded), span)
	}
}

// late says where rows lie that came after the last run and before the window.
func late(w Window, s offline.Span) string {
	if s.Rows <= 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s came after the last run, of %s, with event times before this window, from %s to %s, and %s not taken; to take %s: %s",
		w.View, count(s.Rows, "row"), stamp(w.lastRun), stamp(s.First), stamp(s.Last), choose(s.Rows, "is", "are"), choose(s.Rows, "it", "them"), command(w.View, s))
}

func choose(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// intervals are those that the view has now, in the order of time.
func intervals(v *registry.View, last interval) []interval {
	list := []interval{last}
	for _, i := range v.Intervals {
		list = append(list, interval{i.GetStartTime().AsTime(), i.GetEndTime().AsTime()})
	}
	list = slices.DeleteFunc(list, func(i interval) bool { return i.start.After(i.end) })
	slices.SortFunc(list, func(a, b interval) int { return a.start.Compare(b.start) })
	return list
}

// gaps are the times between intervals, which are in order. A clock of ours has
// microseconds.
func gaps(list []interval) []interval {
	var found []interval
	for i, next := range list {
		if i == 0 {
			continue
		}
		before := slices.MaxFunc(list[:i], func(a, b interval) int { return a.end.Compare(b.end) })
		if g := (interval{before.end.Add(time.Microsecond), next.start.Add(-time.Microsecond)}); !g.start.After(g.end) {
			found = append(found, g)
		}
	}
	return found
}

// hint says where rows lie when a window holds none. What lies before the first
// recorded window was left out when that was chosen, and what lies after the
// last one is taken by a later run: beside rows that were taken neither is
// missing. What lies between two windows is.
func hint(r *Result, taken []interval, span func(offline.Query) offline.Span) string {
	s := span(offline.Query{})
	switch {
	case s.Rows < 0:
		return ""
	case s.Rows == 0:
		return r.View + ": its source holds no row with an event time"
	case r.Read > 0:
		return fmt.Sprintf("%s: no row between %s and %s has all its join keys", r.View, stamp(r.Start), stamp(r.End))
	}
	if len(taken) == 0 { // the window lies in the future
		taken = []interval{{r.Start, r.End}}
	}
	first, last := taken[0].start, slices.MaxFunc(taken, func(a, b interval) int { return a.end.Compare(b.end) }).end
	switch {
	case s.Last.Before(first):
		return nearest(r.View, s.Last, "before", s)
	case s.First.After(last):
		return nearest(r.View, s.First, "after", s)
	case len(taken) == 1 && s.First.Before(first) && s.Last.After(last):
		return fmt.Sprintf("%s: no row lies between %s and %s, and all of the source's lie before or after; to take all of it: %s",
			r.View, stamp(r.Start), stamp(r.End), command(r.View, s))
	}
	for _, g := range gaps(taken) {
		if g.end.Before(s.First) || g.start.After(s.Last) {
			continue
		}
		if between := span(offline.Query{Start: g.start, End: g.end}); between.Rows > 0 {
			return fmt.Sprintf("%s: %s from %s to %s %s between two recorded windows and %s never taken; to take %s: %s", r.View,
				count(between.Rows, "row"), stamp(between.First), stamp(between.Last), choose(between.Rows, "lies", "lie"),
				choose(between.Rows, "was", "were"), choose(between.Rows, "it", "them"), command(r.View, between))
		}
	}
	return ""
}

func nearest(view string, event time.Time, side string, s offline.Span) string {
	return fmt.Sprintf("%s: the source's nearest event, %s, lies %s the window; to take all of it: %s", view, stamp(event), side, command(view, s))
}

// command takes all rows of a span.
func command(view string, s offline.Span) string {
	return fmt.Sprintf("banquet materialize %s %s --views %s", argument(s.First), argument(s.Last.Add(time.Second-time.Nanosecond)), view)
}
