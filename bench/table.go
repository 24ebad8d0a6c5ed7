package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/bench/load"
)

// row is the result of one contender in one experiment. Times are in milliseconds.
type row struct {
	contender, protocol string
	rate                float64
	perSecond           float64
	p50, p99, most      float64
	cpu                 float64 // ms of the server for a response or an error
	memory              float64 // MB, the peak
	calls               float64 // of the store, per request
	own50, own99        float64 // the server's own time, from its histogram
	foreign             float64 // cores that neither the server nor the benchmark used
	errors, lost, wrong float64
	checked             float64
	kinds               map[string]int
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r *row) fill(res *load.Result, before, after usage) {
	r.perSecond = float64(res.Responses) / res.Seconds
	r.p50, r.p99, r.most = milliseconds(res.Quantile(0.5)), milliseconds(res.Quantile(0.99)), milliseconds(res.Quantile(1))
	if n := res.Responses + res.Errors; n > 0 {
		r.cpu = (after.server - before.server) * 1000 / float64(n)
	}
	r.foreign = ((after.machine - before.machine) - (after.ours - before.ours)) / res.Seconds
	r.errors, r.lost, r.wrong, r.checked = float64(res.Errors), float64(res.Lost), float64(res.Wrong), float64(res.Cells)
	r.kinds = res.Kinds
}

// medians combines several measurements: medians of the figures, and sums of the counts
// that must be zero.
func medians(rs []row) row {
	out := rs[0]
	for _, of := range []func(*row) *float64{
		func(r *row) *float64 { return &r.perSecond },
		func(r *row) *float64 { return &r.p50 }, func(r *row) *float64 { return &r.p99 }, func(r *row) *float64 { return &r.most },
		func(r *row) *float64 { return &r.cpu }, func(r *row) *float64 { return &r.memory }, func(r *row) *float64 { return &r.calls },
		func(r *row) *float64 { return &r.own50 }, func(r *row) *float64 { return &r.own99 }, func(r *row) *float64 { return &r.foreign },
	} {
		*of(&out) = median(rs, of)
	}
	for _, r := range rs[1:] {
		out.errors += r.errors
		out.lost += r.lost
		out.wrong += r.wrong
		out.checked += r.checked
		for k, n := range r.kinds {
			out.kinds[k] += n
		}
	}
	return out
}

// table prints each row once it is measured.
type table struct {
	out      io.Writer
	capacity map[string]float64 // responses per second, by contender and protocol
	quiet    map[string]float64 // the same in the closed loop without faults, also by case
}

const columns = "%-19s %-5s %7s %-17s %8s %8s %8s %8s %8s %7s %6s %7s %9s %7s %9s %9s  %s\n"

func (t *table) head() {
	t.capacity, t.quiet = map[string]float64{}, map[string]float64{}
	fmt.Fprintf(t.out, columns, "scenario", "case", "load", "contender", "ok/s", "p50 ms", "p99 ms", "max ms", "CPU ms", "RSS MB", "calls", "errors", "bad/cells", "ok/none", "own50 ms", "own99 ms", "CPU beside")
}

func (t *table) foot() {
	fmt.Fprint(t.out, `
load: workers of a closed loop, or requests per second of an open loop (latency from the time they were due).
CPU ms: of the server, user and system, per request. RSS: the peak. calls: of the store, per request.
bad: compared cells that differ from the stored ones or are missing. ok/none: responses, as a fraction of those without faults.
own: the server's time without the wait for the store, from its histogram. ~: other processes used the machine, too.
`)
}

func (t *table) add(e experiment, rows []row) {
	for _, r := range rows {
		key := r.contender + r.protocol
		if e.scenario == "capacity" {
			t.capacity[key] = r.perSecond
		}
		if strings.HasPrefix(e.scenario, "no fault") {
			t.quiet[key+e.shape] = r.perSecond
		}
		weight := fmt.Sprintf("%d", e.workers)
		if r.rate > 0 {
			weight = fmt.Sprintf("%.0f/s", r.rate)
		}
		noise := ""
		if r.foreign > 0.3 {
			noise = "~"
		}
		share := ""
		if q := t.quiet[key+e.shape]; q > 0 {
			share = fmt.Sprintf("%.2f", r.perSecond/q)
		}
		fmt.Fprintf(t.out, columns, e.scenario, e.shape, weight, r.contender+" "+r.protocol+noise,
			fmt.Sprintf("%.0f", r.perSecond), fmt.Sprintf("%.2f", r.p50), fmt.Sprintf("%.2f", r.p99), fmt.Sprintf("%.1f", r.most),
			fmt.Sprintf("%.3f", r.cpu), fmt.Sprintf("%.0f", r.memory), fmt.Sprintf("%.2f", r.calls), fmt.Sprintf("%.0f", r.errors),
			fmt.Sprintf("%.0f/%s", r.lost+r.wrong, short(r.checked)), share, figure(r.own50), figure(r.own99), beside(r, rows))
		for _, k := range slices.Sorted(maps.Keys(r.kinds)) {
			fmt.Fprintf(t.out, "%45d x %s\n", r.kinds[k], k)
		}
	}
}

// beside compares the CPU per request with that of the floor and Feast.
func beside(r row, rows []row) string {
	var parts []string
	for _, o := range rows {
		if o.protocol != r.protocol || o.contender == r.contender || r.cpu == 0 || o.cpu == 0 {
			continue
		}
		switch o.contender {
		case "floor":
			parts = append(parts, fmt.Sprintf("%.2f x floor", r.cpu/o.cpu))
		case "feast", "feast-listen":
			parts = append(parts, fmt.Sprintf("feast %.0f x", o.cpu/r.cpu))
		}
	}
	return strings.Join(parts, ", ")
}

func short(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1fM", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0fk", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}

func figure(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", x)
}
