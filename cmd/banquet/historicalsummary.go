package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/training"
)

// setBar shows the rows of a training set that were written, on a terminal.
type setBar struct {
	app            *app
	progress       ingest.Progress
	width          int
	started, drawn time.Time
}

func (a *app) setBar(set *training.Set, out *output, started time.Time) *setBar {
	b := &setBar{started: started}
	if a.errTerminal && out.name != "" && (out.target != "" || !a.terminal) {
		b.app, b.width = a, a.width()
		b.progress = ingest.Progress{Window: ingest.Window{View: filepath.Base(out.shown())}, Phase: ingest.Writing, Total: max(set.Entities, 0)}
	}
	return b
}

func (b *setBar) add(rows int64, now time.Time) {
	const often = 100 * time.Millisecond
	if b.progress.Rows += rows; b.app == nil || now.Sub(b.drawn) < often {
		return
	}
	b.drawn, b.progress.Left = now, 0
	if b.progress.Rate = float64(b.progress.Rows) / now.Sub(b.started).Seconds(); b.progress.Total > b.progress.Rows {
		b.progress.Left = time.Duration(float64(b.progress.Total-b.progress.Rows) / b.progress.Rate * float64(time.Second))
	}
	fmt.Fprint(b.app.err, "\r\x1b[K"+bar(&b.progress, b.width))
}

// end removes the bar.
func (b *setBar) end() {
	if b.app != nil {
		fmt.Fprint(b.app.err, "\r\x1b[K")
		b.app = nil
	}
}

// summarized is how many features a summary lists.
const summarized = 40

// summarize says on stderr what was written: rows, and for each feature its nulls and
// its coverage, the share of rows with a value.
func (a *app) summarize(out *output, c *training.Coverage, took time.Duration) {
	rate := ""
	if s := took.Seconds(); s > 0 && c.Rows > 0 {
		rate = fmt.Sprintf(" (%.0f rows/s)", float64(c.Rows)/s)
	}
	fmt.Fprintf(a.err, "%s: %d rows in %.1f s%s\n", out.shown(), c.Rows, took.Seconds(), rate)
	if c.Rows == 0 {
		return
	}
	features := c.Features
	if len(features) > summarized {
		features = slices.Clone(features)
		slices.SortStableFunc(features, func(a, b training.FeatureCoverage) int { return -cmp.Compare(a.Nulls, b.Nulls) })
		features = features[:summarized]
	}
	rows := make([][]string, len(features))
	for i, f := range features {
		rows[i] = []string{f.Name, fmt.Sprint(f.Nulls), share(c.Rows-f.Nulls, c.Rows)}
	}
	writeTable(a.err, []string{"FEATURE", "NULLS", "COVERAGE"}, rows)
	if more := len(c.Features) - len(features); more > 0 {
		fmt.Fprintf(a.err, "and %d features with fewer nulls\n", more)
	}
	for _, v := range c.Views {
		if v.Empty > 0 {
			fmt.Fprintf(a.err, "%s: %d rows (%s) without any value\n", v.Name, v.Empty, share(v.Empty, c.Rows))
		}
	}
}

// share is a part in percent. A part that is not all is never 100 %, one that is not
// nothing never 0 %.
func share(part, all int64) string {
	tenths := part * 1000 / all
	if part > 0 && tenths == 0 {
		tenths = 1
	}
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}
