package serving

import (
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// rowCounts counts the keys of one view of one request by what became of them.
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
	readRows *prometheus.CounterVec
	invalid  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		readRows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_online_rows_total",
			Help: "Entity keys read, by feature view and by what became of them: found, missing, expired or failed.",
		}, []string{"project", "view", "result"}),
		invalid: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_online_invalid_values_total",
			Help: "Stored values that are no feast.types.Value and were answered with status INVALID.",
		}, []string{"project", "view"}),
	}
	if reg != nil {
		reg.MustRegister(m.readRows, m.invalid)
	}
	return m
}

func (m *metrics) rows(v *planView, c rowCounts) {
	for _, n := range [...]struct {
		result string
		count  int
	}{{"found", c.found}, {"missing", c.missing}, {"expired", c.expired}, {"failed", c.failed}} {
		if n.count > 0 {
			m.readRows.WithLabelValues(v.table.Project, v.table.View, n.result).Add(float64(n.count))
		}
	}
}

// reportInvalid names values that could not be served.
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
	s.opt.Log.Warn("stored values are no feast.types.Value and are answered as INVALID; write the rows again",
		slog.String("project", v.table.Project), slog.String("view", v.table.View),
		slog.String("feature", feature), slog.Int("values", n))
}

// manyMisses is how many keys of a view may miss before any is found until a
// warning is due.
const manyMisses = 1000

// misses watches for views that have only missed since the start: keys that
// are written in another format or under another project look just like that.
type misses struct {
	views sync.Map // stores.Table -> *missCount
}

type missCount struct {
	mu     sync.Mutex
	missed int
	done   bool // a row was found, or the warning was given
}

func (m *misses) note(log *slog.Logger, v *planView, c rowCounts) {
	at, ok := m.views.Load(v.table)
	if !ok {
		at, _ = m.views.LoadOrStore(v.table, new(missCount))
	}
	count, _ := at.(*missCount)
	if !count.warn(c) {
		return
	}
	log.Warn("no key of this feature view has been found since the start; `banquet validate` tells whether its table is empty or holds keys of another format",
		slog.String("project", v.table.Project), slog.String("view", v.table.View), slog.Int("missed", manyMisses))
}

// warn counts and says whether the warning is due now.
func (c *missCount) warn(n rowCounts) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return false
	}
	if n.found+n.expired > 0 {
		c.done = true
		return false
	}
	c.missed += n.missing
	c.done = c.missed >= manyMisses
	return c.done
}
