package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
)

// Materializer loads rows of the offline store into the online store; it is an
// ingest.Materializer.
type Materializer interface {
	// Views returns the names of the views that a request materializes, or its error.
	Views(ctx context.Context, req ingest.Request) ([]string, error)
	// Running returns those of the views that are being materialized now, by any process.
	Running(ctx context.Context, names []string) []string
	Materialize(ctx context.Context, req ingest.Request) ([]ingest.Result, error)
	MaterializeIncremental(ctx context.Context, req ingest.Request) ([]ingest.Result, error)
}

const methodMaterialize = "/banquet.v1.MaterializeService/Materialize"

// job is a request to materialize.
type job struct {
	ingest.Request
	project     string
	incremental bool
}

// runs bounds and watches the materializations of the server. They have slots of their
// own, so that they take none from requests for features.
type runs struct {
	opt      *Options
	pipeline *pipeline
	slots    chan struct{}
	planning chan struct{} // one request at a time loads the registry
	stopping context.Context
	stop     context.CancelCauseFunc
	// background are the asynchronous runs.
	background sync.WaitGroup

	mu      sync.Mutex
	waiting int
	busy    map[viewName]int // views of all runs, waiting ones included

	outcomes *prometheus.CounterVec
	rows     *prometheus.CounterVec
	success  *prometheus.GaugeVec
}

type viewName struct{ project, name string }

var errStopping = errors.New("the server is stopping")

func newRuns(opt *Options, p *pipeline) *runs {
	m := &runs{
		opt: opt, pipeline: p, slots: make(chan struct{}, max(opt.MaterializeRuns, 1)), planning: make(chan struct{}, 1), busy: map[viewName]int{},
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_materialize_runs_total", Help: "Materializations that have ended, by outcome: ok, failed or stopped.",
		}, []string{"outcome"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_materialize_rows_written_total", Help: "Rows that the online store has stored for materializations of this server.",
		}, []string{"project", "feature_view"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "banquet_materialize_last_success_timestamp_seconds", Help: "Time of the last materialization of a feature view by this server that succeeded.",
		}, []string{"project", "feature_view"}),
	}
	m.stopping, m.stop = context.WithCancelCause(context.Background())
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(m.outcomes, m.rows, m.success,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "banquet_materialize_runs_in_progress", Help: "Materializations in progress."},
				func() float64 { return float64(len(m.slots)) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "banquet_materialize_runs_waiting", Help: "Asynchronous materializations that wait for a slot."},
				func() float64 {
					m.mu.Lock()
					defer m.mu.Unlock()
					return float64(m.waiting)
				}))
	}
	return m
}

// plan is a job that can be run: its views are known.
type plan struct {
	job
	runs *runs
	use  Materializer
}

// plan resolves the views of a job. Its observer is told about the run.
func (m *runs) plan(ctx context.Context, j job, o ingest.Observer) (*plan, error) {
	if m.opt.Materializer == nil {
		return nil, notServed("Materialize")
	}
	for _, address := range []string{m.opt.GRPC, m.opt.HTTP} {
		if err := m.opt.offlineRefused(address); err != nil {
			return nil, err
		}
	}
	if j.project == "" {
		j.project = m.opt.Project
	}
	select {
	case m.planning <- struct{}{}:
		defer func() { <-m.planning }()
	case <-ctx.Done():
		return nil, fault.Of(ctx.Err())
	}
	use, err := m.opt.Materializer(ctx, j.project, m.counted(j, o))
	if err != nil {
		return nil, err
	}
	if j.Views, err = use.Views(ctx, j.Request); err != nil {
		return nil, err
	}
	return &plan{job: j, runs: m, use: use}, nil
}

// counted is an observer that also counts what is stored.
func (m *runs) counted(j job, o ingest.Observer) ingest.Observer {
	next := o.Finished
	o.Finished = func(r ingest.Result) {
		if !j.DryRun {
			m.rows.WithLabelValues(j.project, r.View).Add(float64(max(r.Written-r.Resumed, 0)))
			m.success.WithLabelValues(j.project, r.View).SetToCurrentTime()
		}
		if next != nil {
			next(r)
		}
	}
	return o
}

// run runs the job in the caller's call, if there is a slot.
func (p *plan) run(ctx context.Context) ([]ingest.Result, error) {
	if len(p.Views) == 0 {
		return nil, nil
	}
	m := p.runs
	select {
	case m.slots <- struct{}{}:
	default:
		return nil, m.tooMany()
	}
	defer func() { <-m.slots }()
	m.hold(p)
	defer m.free(p)
	return p.execute(ctx)
}

func (m *runs) tooMany() error {
	return fault.New(fault.Overloaded, "%d materializations are in progress, and this server runs no more at once; try again later (banquet.materialize.runs)", cap(m.slots))
}

// begin runs the job in the background. It returns those of the views that other runs
// hold, of this server or another process, and then begins only if force is set.
func (p *plan) begin(ctx context.Context, force bool) (conflicts []string, err error) {
	m := p.runs
	running := p.use.Running(ctx, p.Views)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range p.Views {
		if m.busy[viewName{p.project, v}] > 0 || slices.Contains(running, v) {
			conflicts = append(conflicts, v)
		}
	}
	if len(p.Views) == 0 || len(conflicts) > 0 && !force {
		return conflicts, nil
	}
	if m.stopping.Err() != nil {
		return nil, fault.New(fault.Unavailable, "the server is stopping")
	}
	slot := false
	select {
	case m.slots <- struct{}{}:
		slot = true
	default:
		if m.waiting >= m.opt.MaterializeQueue {
			return nil, fault.New(fault.Overloaded, "%d materializations are in progress and %d wait for them; try again later (banquet.materialize.runs, queue)", cap(m.slots), m.waiting)
		}
		m.waiting++
	}
	m.holdLocked(p)
	m.background.Go(func() { p.inBackground(slot) })
	return nil, nil
}

// inBackground runs the job and logs its outcome. slot says whether it has a slot; if
// not, it waits for one.
func (p *plan) inBackground(slot bool) {
	m := p.runs
	defer m.free(p)
	if !slot {
		select {
		case m.slots <- struct{}{}:
			slot = true
		case <-m.stopping.Done():
		}
		m.mu.Lock()
		m.waiting--
		m.mu.Unlock()
	}
	views := slog.Any("views", p.Views[:min(len(p.Views), 20)])
	if !slot {
		m.outcomes.WithLabelValues("stopped").Inc()
		m.opt.Log.Error("materialization stopped before it began: the server is stopping", views)
		return
	}
	defer func() { <-m.slots }()
	if _, err := p.execute(m.stopping); err != nil {
		m.opt.Log.Error("materialization failed", views, slog.String("reason", fault.Of(err).Text), slog.Any("cause", fault.Cause(err)))
		return
	}
	m.opt.Log.Info("materialization done", views)
}

// execute runs the job until it ends, the context ends or the server stops.
func (p *plan) execute(ctx context.Context) (results []ingest.Result, err error) {
	m := p.runs
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.stopping, func() { cancel(errStopping) })()
	defer func() { m.record(ctx, err) }()
	defer m.pipeline.recovered(ctx, &err)
	if p.incremental {
		results, err = p.use.MaterializeIncremental(ctx, p.Request)
	} else {
		results, err = p.use.Materialize(ctx, p.Request)
	}
	if err != nil && m.stopping.Err() != nil {
		err = whileStopping(err)
	}
	return results, err
}

// whileStopping is the error of a run that ended with another error while the server was
// stopping.
func whileStopping(err error) error {
	f := fault.Of(err)
	text := "; the run has failed: " + f.Text
	switch {
	case strings.HasPrefix(f.Text, "stopped"): // what a run says that had begun
		text = " and the run is " + f.Text
	case f.Kind == fault.Canceled:
		text = "; the run had not begun"
	}
	return fault.New(fault.Unavailable, "the server is stopping%s", text).Because(err)
}

func (m *runs) record(ctx context.Context, err error) {
	switch {
	case err == nil:
		m.outcomes.WithLabelValues("ok").Inc()
	case ctx.Err() != nil:
		m.outcomes.WithLabelValues("stopped").Inc()
	default:
		m.outcomes.WithLabelValues("failed").Inc()
	}
}

func (m *runs) hold(p *plan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holdLocked(p)
}

func (m *runs) holdLocked(p *plan) {
	for _, v := range p.Views {
		m.busy[viewName{p.project, v}]++
	}
}

func (m *runs) free(p *plan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range p.Views {
		name := viewName{p.project, v}
		if m.busy[name]--; m.busy[name] <= 0 {
			delete(m.busy, name)
		}
	}
}

// drain stops all runs and waits for the asynchronous ones, until ctx ends.
func (m *runs) drain(ctx context.Context) {
	m.mu.Lock() // begin starts nothing from here on
	m.stop(errStopping)
	m.mu.Unlock()
	done := make(chan struct{})
	go func() {
		m.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		m.opt.Log.WarnContext(ctx, "a materialization did not stop in time")
	}
}

// untimed removes the time limit for the response of a call that may take hours. Each
// write has a limit of its own: see lineWriter.send and materialize.
func untimed(control *http.ResponseController) {
	_ = control.SetWriteDeadline(time.Time{}) // a recorder of a test has no deadline
}
