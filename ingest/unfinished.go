package ingest

import (
	"context"
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// unfinished is the error of a run that stopped at a view: the cause, what is
// stored, and what is not. r is the outcome of the view so far.
func unfinished(ctx context.Context, err error, windows []Window, at int, r Result) error {
	cause := fault.Of(err)
	f := *cause
	switch {
	case ctx.Err() != nil:
		// The caller ended the run, whatever error its parts returned.
		f = *fault.New(fault.KindOf(ctx.Err()), "stopped")
	case cause.Kind == fault.Internal:
		f.Text = err.Error()
	}
	parts := []string{f.Text, stored(&r) + ", and its window is not recorded"}
	if at > 0 {
		parts = append(parts, "complete: "+names(windows[:at]))
	}
	if rest := windows[at+1:]; len(rest) > 0 {
		parts = append(parts, "not begun: "+names(rest))
	}
	f.Text = strings.Join(parts, "; ")
	if ctx.Err() == nil {
		return f.Because(err)
	}
	return &f
}

// stored tells how much of a view's window is in the store.
func stored(r *Result) string {
	switch {
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

func names(windows []Window) string {
	var list []string
	for _, w := range windows[:min(len(windows), namedViews)] {
		list = append(list, w.View)
	}
	text := strings.Join(list, ", ")
	if more := len(windows) - namedViews; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
