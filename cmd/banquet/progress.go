package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/banquet-fs/banquet/ingest"
)

// The forms of progress.
const (
	asBars = "bar"
	asJSON = "json"
	asNone = "none"
)

// form is how progress is shown. FEAST_NO_PROGRESS is Feast's variable.
func (f *materializeFlags) form(a *app) string {
	v, _ := a.env("FEAST_NO_PROGRESS")
	silent, _ := strconv.ParseBool(v)
	switch {
	case f.noProgress:
		return asNone
	case f.progress != "auto":
		return f.progress
	case silent:
		return asNone
	case a.errTerminal:
		return asBars
	}
	return asJSON
}

// progress shows a materialization: what Feast prints and the outcome on standard
// output, and how far each view is on standard error.
type progress struct {
	app         *app
	req         ingest.Request
	incremental bool
	store       string
	together    bool // several views at once: their lines must not mix
	form        string
	meter       ingest.Meter
	stop        func()

	mu      sync.Mutex // of all output
	bars    int        // lines of bars on the terminal
	shown   []ingest.Progress
	results []ingest.Result // of a dry run
}

func feastTime(t time.Time) string {
	return t.UTC().Truncate(time.Second).Format("2006-01-02 15:04:05+00:00")
}

func (p *progress) observer() ingest.Observer {
	return p.meter.Observer(ingest.Observer{
		Planned: func(windows []ingest.Window) { p.say(func() { p.planned(windows) }) },
		Started: func(w ingest.Window) {
			p.say(func() {
				p.assumed(&w)
				if !p.together && !p.req.DryRun {
					p.heading(&w)
				}
			})
		},
		Resumed:  func(w ingest.Window, rows int) { p.say(func() { p.resumed(&w, rows) }) },
		Finished: func(r ingest.Result) { p.say(func() { p.finished(&r) }) },
	})
}

// say writes in place of the bars, which come back with the next tick.
func (p *progress) say(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	write()
}

func (p *progress) planned(windows []ingest.Window) {
	a := p.app
	from := ""
	if !p.incremental {
		from = "from " + a.green(feastTime(p.req.Start)) + " "
	}
	what := "Materializing %s feature views %sto %s into the %s online store.\n\n"
	if p.req.DryRun {
		what = "A dry run for %s feature views %sto %s: nothing is written to the %s online store.\n\n"
	}
	views := map[string]bool{} // after an unfinished run one may have two windows
	for _, w := range windows {
		views[w.View] = true
	}
	fmt.Fprintf(a.out, what, a.green(strconv.Itoa(len(views))), from, a.green(feastTime(p.req.End)), a.green(p.store))
}

func (p *progress) assumed(w *ingest.Window) {
	if w.Assumed {
		fmt.Fprintf(p.app.out, "Since the ttl is 0 for feature view %s, the start date will be set to 1 year before the current time.\n", p.app.green(w.View))
	}
}

func (p *progress) heading(w *ingest.Window) {
	a := p.app
	if p.incremental {
		fmt.Fprintf(a.out, "%s from %s to %s:\n", a.green(w.View), a.green(feastTime(w.Start)), a.green(feastTime(w.End)))
		return
	}
	fmt.Fprintf(a.out, "%s:\n", a.green(w.View))
}

func (p *progress) resumed(w *ingest.Window, rows int) {
	if rows == 0 {
		return // for the reader it is a run like any other
	}
	name := ""
	if p.together {
		name = w.View + ": "
	}
	fmt.Fprintf(p.app.out, "  %scontinuing an unfinished run, which has stored %d rows\n", name, rows)
}

func (p *progress) finished(r *ingest.Result) {
	a := p.app
	if p.req.DryRun {
		p.results = append(p.results, *r)
		p.advise(r)
		return
	}
	if p.together {
		p.heading(&r.Window)
	}
	rate := ""
	if s := r.Elapsed.Seconds(); r.Written > 0 && s > 0 {
		rate = fmt.Sprintf(" in %.1f s (%.0f rows/s)", s, float64(r.Read)/s)
	}
	older := ""
	if r.Older > 0 {
		older = fmt.Sprintf(", %d were older than the stored rows", r.Older)
	}
	fmt.Fprintf(a.out, "  %d rows written of %d read%s%s\n", r.Written, r.Read, older, rate)
	p.advise(r)
}

func (p *progress) advise(r *ingest.Result) {
	if r.Waiting != "" {
		fmt.Fprintln(p.app.err, r.Waiting)
	}
	for _, w := range []string{r.Hint, r.Late, r.Overlap} {
		if w != "" {
			fmt.Fprintln(p.app.err, "warning: "+w)
		}
	}
}

// estimates writes the table of a dry run.
func (p *progress) estimates() {
	header := []string{"VIEW", "READ", "TO WRITE", "BYTES", "WRITE UNITS"}
	row := func(name string, read int64, e *ingest.Estimate) []string {
		units := "-"
		if e.WriteUnits > 0 {
			units = strconv.FormatInt(e.WriteUnits, 10)
		}
		return []string{name, strconv.FormatInt(read, 10), strconv.FormatInt(e.Rows, 10), strconv.FormatInt(e.Bytes, 10), units}
	}
	var rows [][]string
	var sum ingest.Estimate
	var read int64
	for _, r := range p.results {
		e := ingest.Estimate{Rows: int64(r.Keys)}
		if r.Estimate != nil {
			e = *r.Estimate
		}
		rows = append(rows, row(r.View, r.Read, &e))
		read += r.Read
		sum.Rows, sum.Bytes, sum.WriteUnits = sum.Rows+e.Rows, sum.Bytes+e.Bytes, sum.WriteUnits+e.WriteUnits
	}
	if len(rows) > 1 {
		rows = append(rows, row("total", read, &sum))
	}
	writeTable(p.app.out, header, rows)
}

// The times between two reports, and how long a run lasts before the first line of JSON.
const (
	barInterval  = 100 * time.Millisecond
	jsonInterval = time.Second
	jsonQuiet    = 2 * time.Second
)

// begin shows the progress until end.
func (p *progress) begin() {
	p.stop = func() {}
	every, show, began := barInterval, p.paint, time.Now()
	switch p.form {
	case asNone:
		return
	case asJSON:
		every = jsonInterval
		show = func(running []ingest.Progress) {
			if time.Since(began) >= jsonQuiet {
				p.lines(running, time.Now())
			}
		}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				show(p.meter.Running())
			}
		}
	}()
	p.stop = func() {
		close(done)
		<-ended
	}
}

// end removes the bars, and writes what a dry run has found.
func (p *progress) end() {
	p.stop()
	p.say(func() {
		if len(p.results) > 0 {
			p.estimates()
		}
	})
}

// line is one line of JSON. Its fields are documented in the commands' help.
type line struct {
	Time    string   `json:"time"`
	Event   string   `json:"event"`
	View    string   `json:"view"`
	Phase   string   `json:"phase"`
	Rows    int64    `json:"rows"`
	Total   int64    `json:"total"`
	Resumed int64    `json:"resumed"`
	Rate    float64  `json:"rows_per_second"`
	Left    *float64 `json:"seconds_left,omitempty"`
}

// lines writes a line for each view whose progress has changed.
func (p *progress) lines(running []ingest.Progress, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range running {
		if slices.ContainsFunc(p.shown, func(s ingest.Progress) bool { return s.View == v.View && s.Phase == v.Phase && s.Rows == v.Rows }) {
			continue
		}
		l := line{
			Time: now.UTC().Format(time.RFC3339), Event: "progress", View: v.View, Phase: v.Phase.String(),
			Rows: v.Rows, Total: v.Total, Resumed: v.Resumed, Rate: float64(int64(v.Rate*10)) / 10,
		}
		if v.Left > 0 {
			left := v.Left.Round(100 * time.Millisecond).Seconds()
			l.Left = &left
		}
		if b, err := json.Marshal(l); err == nil { // its types have no errors
			fmt.Fprintf(p.app.err, "%s\n", b)
		}
	}
	p.shown = running
}

// maxBars bounds the lines of bars.
const maxBars = 12

// paint replaces the bars.
func (p *progress) paint(running []ingest.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	width := p.app.width()
	for _, v := range running[:min(len(running), maxBars)] {
		fmt.Fprintln(p.app.err, bar(&v, width))
		p.bars++
	}
	if more := len(running) - maxBars; more > 0 {
		fmt.Fprintf(p.app.err, "and %d more\n", more)
		p.bars++
	}
}

// clear removes the bars: up to their first line, then everything below it.
func (p *progress) clear() {
	if p.bars > 0 {
		fmt.Fprintf(p.app.err, "\x1b[%dA\r\x1b[J", p.bars)
		p.bars = 0
	}
}

// width is that of the terminal of standard error.
func (a *app) width() int {
	if f, ok := a.err.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// barCells is the width of the bar itself.
const barCells = 20

// bar is the line of one view: name, bar, count, rate and the time that is left.
func bar(v *ingest.Progress, width int) string {
	var b strings.Builder
	b.WriteString(v.View)
	switch {
	case v.Phase == ingest.Writing && v.Total > 0:
		part := min(float64(v.Rows)/float64(v.Total), 1)
		full := int(part * barCells)
		fmt.Fprintf(&b, "  [%s%s] %3.0f %%  %d of %d rows", strings.Repeat("=", full), strings.Repeat(" ", barCells-full), 100*part, v.Rows, v.Total)
	default:
		fmt.Fprintf(&b, "  %s  %d rows", v.Phase, v.Rows)
	}
	if v.Rate > 0 {
		fmt.Fprintf(&b, "  %.0f rows/s", v.Rate)
	}
	if v.Left > 0 {
		fmt.Fprintf(&b, "  %s left", v.Left.Round(time.Second))
	}
	text := b.String()
	if utf8.RuneCountInString(text) >= width { // a longer line would take two, and clear would miss one
		text = string([]rune(text)[:max(width-1, 0)])
	}
	return text
}
