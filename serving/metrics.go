package serving

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/stores"
)

// rowCounts counts the keys of one view of one request by their result.
type rowCounts struct {
	found, missing, expired, failed int
}

func (c *rowCounts) add(s Status) {
	switch s {
	case Present:
		c.found++
	case OutsideMaxAge:
		c.expired++
	case NotFound:
		c.missing++
	default:
		c.failed++
	}
}

// metrics are the collectors of a Service.
type metrics struct {
	readRows     *prometheus.CounterVec
	invalid      *prometheus.CounterVec
	functions    *prometheus.HistogramVec
	missCounters missCounters
	warnings     sync.Map // stores.Table -> *warning, of invalid values
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		readRows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_online_rows_total",
			Help: "Entity keys read, by feature view and result: found, missing, expired or failed.",
		}, []string{"project", "view", "result"}),
		invalid: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_online_invalid_values_total",
			Help: "Stored values that are not a feast.types.Value and were returned with status INVALID.",
		}, []string{"project", "view"}),
		functions: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "banquet_ondemand_duration_seconds",
			Help:    "Time to compute an on-demand feature view for the rows of one request.",
			Buckets: []float64{.00001, .00002, .00005, .0001, .0002, .0005, .001, .002, .005, .01, .05, .1, .5, 1, 5},
		}, []string{"project", "view"}),
	}
	if reg != nil {
		reg.MustRegister(m.readRows, m.invalid, m.functions)
	}
	return m
}

// viewCounters are the counters of a view. A plan looks them up once.
type viewCounters struct {
	found, missing, expired, failed prometheus.Counter
	missed                          *misses
	warned                          *warning
}

func (m *metrics) view(t stores.Table) viewCounters {
	of := func(result string) prometheus.Counter { return m.readRows.WithLabelValues(t.Project, t.View, result) }
	return viewCounters{of("found"), of("missing"), of("expired"), of("failed"), m.missCounters.of(t), m.viewWarning(t)}
}

func (v *viewCounters) add(c rowCounts) {
	for _, n := range [...]struct {
		counter prometheus.Counter
		count   int
	}{{v.found, c.found}, {v.missing, c.missing}, {v.expired, c.expired}, {v.failed, c.failed}} {
		if n.count > 0 {
			n.counter.Add(float64(n.count))
		}
	}
}

// warningInterval is the shortest time between two warnings about one view: a bad
// value that is read often must not log a line for each request.
const warningInterval = 10 * time.Second

// warning counts the invalid values of a view since the last warning.
type warning struct {
	mu     sync.Mutex
	last   time.Time
	values int
}

func (m *metrics) viewWarning(t stores.Table) *warning {
	w, _ := m.warnings.LoadOrStore(t, new(warning))
	return w.(*warning) // the map holds nothing else
}

// add counts n more values. When a warning is due, it returns all values since the last.
func (w *warning) add(now time.Time, n int) (values int, due bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values += n
	if now.Sub(w.last) < warningInterval {
		return 0, false
	}
	values, w.values, w.last = w.values, 0, now
	return values, true
}

// reportInvalid counts and logs values that could not be returned.
func (s *Service) reportInvalid(r *Response, view int) {
	v := &r.plan.views[view]
	n, feature := 0, ""
	for c := range r.invalid {
		if c.view == view {
			n++
			feature = v.selection.Features[c.pos]
		}
	}
	if n == 0 {
		return
	}
	s.metrics.invalid.WithLabelValues(v.table.Project, v.table.View).Add(float64(n))
	n, due := v.counters.warned.add(s.opt.Now(), n)
	if !due {
		return
	}
	s.opt.Log.Warn("stored values are not a feast.types.Value and are returned as INVALID; write the rows again",
		slog.String("project", v.table.Project), slog.String("view", v.table.View),
		slog.String("feature", feature), slog.Int("values", n))
}

// missesToWarn is the number of missing keys of a view, with none found, after which a warning
// is due.
const missesToWarn = 1000

// missCounters finds views of which no key has been found since the start. A table
// written with another key format or under another project looks like this.
type missCounters struct {
	views sync.Map // stores.Table -> *missCount
}

// misses counts the missing keys of a view until a key is found or the warning is
// logged.
type misses struct {
	missed atomic.Int64
	done   atomic.Bool
}

func (m *missCounters) of(t stores.Table) *misses {
	at, _ := m.views.LoadOrStore(t, new(misses))
	return at.(*misses) // the map holds nothing else
}

func (c *misses) record(log *slog.Logger, t stores.Table, n rowCounts) {
	switch {
	case c.done.Load():
	case n.found+n.expired > 0:
		c.done.Store(true)
	case c.missed.Add(int64(n.missing)) >= missesToWarn && !c.done.Swap(true):
		log.Warn("no key of this feature view has been found since the start; `banquet validate` shows whether its table is empty or has keys of another format",
			slog.String("project", t.Project), slog.String("view", t.View), slog.Int("missed", missesToWarn))
	}
}
