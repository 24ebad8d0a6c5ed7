package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// questionTime bounds a question to the source whose answer is optional.
const questionTime = 10 * time.Second

// interval is a span of event times, both ends inclusive.
type interval struct{ start, end time.Time }

// after and before are the times next to a time. Recorded times have
// microseconds.
func after(t time.Time) time.Time  { return t.Add(time.Microsecond) }
func before(t time.Time) time.Time { return t.Add(-time.Nanosecond).Truncate(time.Microsecond) }

// questions asks the source of a view which rows it holds. The answers are
// hints: when the source cannot answer, nothing is reported.
type questions struct {
	store  offline.Store
	view   *registry.View
	layout *encode.Layout
	log    *slog.Logger
}

func (t *task) questions() *questions { return &questions{t.opt.Offline, t.view, t.layout, t.opt.Log} }

// ask returns the extent of the rows of a query; Rows is -1 if the source
// cannot tell.
func (q *questions) ask(ctx context.Context, query offline.Query) offline.Span {
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	query.Source, query.Timestamp, query.Created = q.view.Batch, q.layout.Timestamp(), q.layout.Created()
	s, err := q.store.Span(ctx, query)
	if err != nil {
		q.log.DebugContext(ctx, "the source cannot tell which rows it holds", slog.String("view", q.view.Name), slog.Any("error", err))
		return offline.Span{Rows: -1}
	}
	return s
}

// advise looks for rows that no run has read.
func (q *questions) advise(ctx context.Context, p past, recorded interval, r *Result) {
	if !p.end.IsZero() && q.layout.Created() != "" {
		r.Late = q.late(ctx, p, r)
	}
	if r.Written+r.Older == 0 {
		r.Hint = q.hint(ctx, intervals(q.view, recorded), r)
	}
}

// late tells where rows lie that arrived after the last run and that neither
// this window nor a later one covers: before this window, or, if the window
// lies in the past, between its end and the end of the last one.
func (q *questions) late(ctx context.Context, p past, r *Result) string {
	s := q.ask(ctx, offline.Query{End: before(r.Start), CreatedAfter: p.read})
	if start := after(r.End); !start.After(p.end) {
		s = join(s, q.ask(ctx, offline.Query{Start: start, End: p.end, CreatedAfter: p.read}))
	}
	if s.Rows <= 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s arrived after the last run, of %s, with event times outside of this window, from %s to %s, and %s not materialized; to materialize %s: %s",
		r.View, count(s.Rows, "row"), stamp(p.read), stamp(s.First), stamp(s.Last), choose(s.Rows, "is", "are"), choose(s.Rows, "it", "them"), command(r.View, s))
}

// join is the extent of the rows of two queries.
func join(a, b offline.Span) offline.Span {
	switch {
	case b.Rows <= 0:
		return a
	case a.Rows <= 0:
		return b
	}
	if b.First.Before(a.First) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	a.Rows += b.Rows
	return a
}

func choose(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// intervals are the view's intervals now, ordered by time.
func intervals(v *registry.View, last interval) []interval {
	list := slices.DeleteFunc(append(spans(v.Intervals), last), func(i interval) bool { return i.start.After(i.end) })
	slices.SortFunc(list, func(a, b interval) int { return a.start.Compare(b.start) })
	return list
}

func spans(list []*core.MaterializationInterval) []interval {
	var out []interval
	for _, i := range list {
		out = append(out, interval{i.GetStartTime().AsTime(), i.GetEndTime().AsTime()})
	}
	return out
}

// overlap reports that other runs went on at the same time, and the command
// that repairs rows that they may have replaced for each other: a window that
// begins before the end of the last one replaces no newer row.
func overlap(view string, own interval, others []interval) string {
	if len(others) == 0 {
		return ""
	}
	s := offline.Span{First: own.start, Last: own.end}
	for _, o := range others {
		s = join(offline.Span{Rows: 1, First: s.First, Last: s.Last}, offline.Span{Rows: 1, First: o.start, Last: o.end})
	}
	return fmt.Sprintf("%s: another run of this view was recorded during this one, and older rows of one run may have replaced newer rows of the other; to repair them: %s",
		view, command(view, s))
}

// gaps are the times between intervals, which are in order.
func gaps(list []interval) []interval {
	var found []interval
	for i, next := range list {
		if i == 0 {
			continue
		}
		last := slices.MaxFunc(list[:i], func(a, b interval) int { return a.end.Compare(b.end) })
		if g := (interval{after(last.end), before(next.start)}); !g.start.After(g.end) {
			found = append(found, g)
		}
	}
	return found
}

// hint tells where rows lie when a window holds none. Rows before the first
// recorded window were left out on purpose, and rows after the last one will be
// read by a later run, so neither are missing if some rows were read. Rows
// between two windows are missing.
func (q *questions) hint(ctx context.Context, taken []interval, r *Result) string {
	s := q.ask(ctx, offline.Query{})
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
		return fmt.Sprintf("%s: the source has no row between %s and %s, only rows before and after; to materialize all of them: %s",
			r.View, stamp(r.Start), stamp(r.End), command(r.View, s))
	}
	for _, g := range gaps(taken) {
		if g.end.Before(s.First) || g.start.After(s.Last) {
			continue
		}
		if between := q.ask(ctx, offline.Query{Start: g.start, End: g.end}); between.Rows > 0 {
			return fmt.Sprintf("%s: %s from %s to %s %s between two recorded windows and %s never materialized; to materialize %s: %s", r.View,
				count(between.Rows, "row"), stamp(between.First), stamp(between.Last), choose(between.Rows, "lies", "lie"),
				choose(between.Rows, "was", "were"), choose(between.Rows, "it", "them"), command(r.View, between))
		}
	}
	return ""
}

// tooEarly says why an incremental run that ends so early has nothing to do.
func tooEarly(v *registry.View, w Window) string {
	if len(v.Intervals) > 0 {
		return fmt.Sprintf("%s: already materialized up to %s, which is after %s; nothing to do", v.Name, stamp(w.Start), stamp(w.End))
	}
	reach := "its ttl"
	if w.Assumed {
		reach = "a year, since its ttl is 0"
	}
	return fmt.Sprintf("%s: nothing to do: its first incremental run goes back by %s, to %s, which is after %s; older rows are taken by banquet materialize START_TS END_TS --views %s",
		v.Name, reach, stamp(w.Start), stamp(w.End), v.Name)
}

func nearest(view string, event time.Time, side string, s offline.Span) string {
	return fmt.Sprintf("%s: the source's nearest event, %s, lies %s the window; to materialize all its rows: %s", view, stamp(event), side, command(view, s))
}

// command is the command that reads all rows of a span.
func command(view string, s offline.Span) string {
	return fmt.Sprintf("banquet materialize %s %s --views %s", argument(s.First), argument(s.Last.Add(time.Second-time.Nanosecond)), view)
}
