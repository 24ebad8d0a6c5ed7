package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// unfinished is the error of a run of which a step failed: the cause, what is
// stored, and what is not; nil if none failed.
func unfinished(ctx context.Context, steps []*step) error {
	at := slices.IndexFunc(steps, func(s *step) bool { return s.state == failed })
	if at < 0 {
		return nil
	}
	first := steps[at]
	f := reason(ctx, first.err)
	parts := []string{f.Text, stored(&first.result) + ", and its window is not recorded"}
	var done, waits []string
	for i, s := range steps {
		switch {
		case s.state == complete:
			done = append(done, s.View)
		case s.state == waiting:
			waits = append(waits, s.View)
		case i != at:
			parts = append(parts, reason(ctx, s.err).Text+"; "+stored(&s.result)+", and its window is not recorded")
		}
	}
	if len(done) > 0 {
		parts = append(parts, "complete: "+names(done))
	}
	if len(waits) > 0 {
		parts = append(parts, "not begun: "+names(waits))
	}
	if slices.ContainsFunc(steps, func(s *step) bool { return s.kept }) {
		parts = append(parts, "the same command goes on after what is stored")
	}
	f.Text = strings.Join(parts, "; ")
	if ctx.Err() == nil {
		return f.Because(first.err)
	}
	return &f
}

// reason is a copy of the fault for an error of a step.
func reason(ctx context.Context, err error) fault.Error {
	cause := fault.Of(err)
	f := *cause
	switch {
	case ctx.Err() != nil:
		// The caller ended the run, whatever error its parts returned.
		f = *fault.New(fault.KindOf(ctx.Err()), "stopped")
	case cause.Kind == fault.Internal:
		f.Text = err.Error()
	}
	return f
}

// stored tells how much of a view's window is in the store.
func stored(r *Result) string {
	switch {
	case r.Keys == 0 && r.Written > 0: // by the run that this one continues
		return fmt.Sprintf("%s of feature view %s %s known to be stored", count(r.Written, "row"), r.View, choose(int64(r.Written), "is", "are"))
	case r.Keys == 0:
		return "nothing of feature view " + r.View + " is written"
	case r.Written == r.Keys && r.Keys == 1:
		return "the one row of feature view " + r.View + " is stored"
	case r.Written == r.Keys:
		return fmt.Sprintf("all %d rows of feature view %s are stored", r.Keys, r.View)
	}
	known := "none is"
	if r.Written > 0 {
		known = fmt.Sprintf("%d %s", r.Written, choose(int64(r.Written), "is", "are"))
	}
	text := fmt.Sprintf("of %s of feature view %s %s known to be stored", count(r.Keys, "row"), r.View, known)
	if r.Older > 0 {
		text += fmt.Sprintf(" and %d %s older than what is stored", r.Older, choose(int64(r.Older), "was", "were"))
	}
	return text
}

// namedViews is how many views a list names.
const namedViews = 10

func names(views []string) string {
	views = slices.Compact(views)
	text := strings.Join(views[:min(len(views), namedViews)], ", ")
	if more := len(views) - namedViews; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
