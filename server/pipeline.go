package server

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/access"
	"github.com/banquet-fs/banquet/fault"
)

// request is a request in the pipeline. Each surface has its own type. The pipeline
// calls the methods in this order, each once, and stops at the first error.
type request interface {
	access.Request
	// receive reads the bytes of the request, and reserves memory for a large one.
	receive(ctx context.Context) error
	// decode decodes the received bytes within the limits.
	decode(ctx context.Context) error
	// project is the project that the request names.
	project() string
	// respond runs the use case and encodes its result.
	respond(ctx context.Context) error
}

// pipeline runs every request of every surface:
//
//	identify → receive → admit → decode → authorize → respond
//
// Metrics, log and recovery are around all of it. A request acquires a slot once it
// is received, not while its caller is still sending, and releases it when its
// response is encoded. A stream acquires a slot for each of its chunks. Reflection
// and health need no slot.
type pipeline struct {
	log        *slog.Logger
	identifier access.Identifier
	authorizer access.Authorizer
	limiter    *limiter
	governor   *governor
	bodies     *budget
	bodyBytes  int
	// Requests that write have slots and memory of their own, so that they take none
	// from reads.
	writes      *limiter
	writeBodies *budget
	// stopping ends when the server stops, and with it streams that wait for their callers.
	stopping context.Context //nolint:containedctx // it is the server's, not a request's
	stop     context.CancelFunc
	// ending ends shortly before a server that stops closes its connections, and with it
	// the requests that still run: their callers must hear why, and what is stored.
	ending   context.Context //nolint:containedctx // it is the server's, not a request's
	end      context.CancelFunc
	drain    time.Duration // at least as long after the server stops as a request can run
	limits   decodeLimits
	messages mem.BufferPool // of gRPC's messages, both ways

	duration *prometheus.HistogramVec
	overhead *prometheus.HistogramVec
	total    *prometheus.CounterVec
	inFlight prometheus.Gauge
	methods  sync.Map // method to *methodMetrics
	faults   faultLog
}

func newPipeline(opt *Options) *pipeline {
	p := &pipeline{
		log: opt.Log, identifier: opt.Identifier, authorizer: opt.Authorizer,
		limiter: newLimiter(opt.Concurrency, opt.Queue), governor: newGovernor(opt.Log),
		writes: newWriteLimiter(opt), writeBodies: newBudget(int64(opt.BodyBytes) + 1), // a buffer has one byte more, to find the end
		bodies: newBudget(int64(opt.BodyBytes) + 1), bodyBytes: opt.BodyBytes, limits: newDecodeLimits(opt),
		messages: newMessagePool(), drain: drainedAfter(opt.DrainTime),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "banquet_request_duration_seconds", Help: "Time from the request received to the response encoded.",
			Buckets: []float64{.0002, .0005, .001, .002, .003, .005, .0075, .01, .015, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method"}),
		overhead: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "banquet_request_overhead_seconds", Help: "Time of a request without the wait for the online store: over HTTP from the first byte read to the response written, over gRPC from the message received to the response encoded.",
			Buckets: []float64{.00005, .0001, .00015, .0002, .0003, .0005, .00075, .001, .002, .005, .01, .025, .05, .1},
		}, []string{"method"}),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_requests_total", Help: "Requests that have ended, by method and gRPC code.",
		}, []string{"method", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "banquet_requests_in_flight", Help: "Requests in flight."}),
	}
	p.stopping, p.stop = context.WithCancel(context.Background())
	p.ending, p.end = context.WithCancel(context.Background())
	if p.identifier == nil {
		p.identifier = access.Open{}
	}
	if p.authorizer == nil {
		p.authorizer = access.Open{}
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(p.duration, p.overhead, p.total, p.inFlight, p.governor.gauge())
	}
	return p
}

// run runs all steps of a request.
func (p *pipeline) run(ctx context.Context, method string, r request) error {
	return p.admitted(ctx, method, r, p.admit)
}

// write runs all steps of a request that writes.
func (p *pipeline) write(ctx context.Context, method string, r request) error {
	return p.admitted(ctx, method, r, p.admitWrite)
}

// admitted runs all steps of a request, with a slot from admit.
func (p *pipeline) admitted(ctx context.Context, method string, r request, admit func(context.Context) (func(), error)) (err error) {
	start := time.Now()
	defer func() { p.record(ctx, method, start, err) }()
	defer p.ended(&err)
	defer p.recovered(ctx, &err)
	caller, err := p.identifier.Identify(ctx, r)
	if err != nil {
		return err
	}
	if err = r.receive(ctx); err != nil {
		return err
	}
	start = time.Now()
	release, err := admit(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err = r.decode(ctx); err != nil {
		return err
	}
	if err = p.authorizer.Authorize(ctx, caller, access.Action{Method: method, Project: r.project()}); err != nil {
		return err
	}
	return r.respond(ctx)
}

// stream runs all steps of a stream but admit: respond acquires a slot for each
// chunk, through withSlot.
func (p *pipeline) stream(ctx context.Context, method string, r request) error {
	return p.steps(ctx, method, r, p.withSlot)
}

// upload runs all steps of a stream that writes but admit: respond acquires a slot for
// each message, through withWriteSlot.
func (p *pipeline) upload(ctx context.Context, method string, r request) error {
	return p.steps(ctx, method, r, p.withWriteSlot)
}

// unslotted runs all steps of a request but admit: its respond has slots of another
// limiter.
func (p *pipeline) unslotted(ctx context.Context, method string, r request) error {
	return p.steps(ctx, method, r, func(_ context.Context, work func() error) error { return work() })
}

// steps runs all steps but admit. slot runs decode.
func (p *pipeline) steps(ctx context.Context, method string, r request, slot func(context.Context, func() error) error) (err error) {
	start := time.Now()
	defer func() { p.record(ctx, method, start, err) }()
	defer p.ended(&err)
	defer p.recovered(ctx, &err)
	caller, err := p.identifier.Identify(ctx, r)
	if err != nil {
		return err
	}
	if err = r.receive(ctx); err != nil {
		return err
	}
	if err = slot(ctx, func() error { return r.decode(ctx) }); err != nil {
		return err
	}
	if err = p.authorizer.Authorize(ctx, caller, access.Action{Method: method, Project: r.project()}); err != nil {
		return err
	}
	return r.respond(ctx)
}

// withSlot runs one piece of a stream's work in a slot of its own.
func (p *pipeline) withSlot(ctx context.Context, work func() error) error {
	release, err := p.admit(ctx)
	if err != nil {
		return err
	}
	defer release()
	return work()
}

// withWriteSlot is withSlot for a stream that writes.
func (p *pipeline) withWriteSlot(ctx context.Context, work func() error) error {
	release, err := p.admitWrite(ctx)
	if err != nil {
		return err
	}
	defer release()
	return work()
}

// admitWrite acquires a slot for writing, if the processors are not overloaded.
func (p *pipeline) admitWrite(ctx context.Context) (release func(), err error) {
	if err := p.writes.acquire(ctx); err != nil {
		return nil, err
	}
	if err := p.governor.acquire(ctx); err != nil {
		p.writes.release()
		return nil, err
	}
	p.inFlight.Inc()
	return p.releaseWrite, nil
}

func (p *pipeline) releaseWrite() {
	p.inFlight.Dec()
	p.governor.release()
	p.writes.release()
}

// admit acquires a slot, if the processors are not overloaded.
func (p *pipeline) admit(ctx context.Context) (release func(), err error) {
	if err := p.governor.acquire(ctx); err != nil {
		return nil, err
	}
	if err := p.limiter.acquire(ctx); err != nil {
		p.governor.release()
		return nil, err
	}
	p.inFlight.Inc()
	return p.release, nil
}

func (p *pipeline) release() {
	p.inFlight.Dec()
	p.limiter.release()
	p.governor.release()
}

// drainedAfter is how long after its stop a server ends the requests that still run.
func drainedAfter(drain time.Duration) time.Duration { return drain - min(drain/10, maxLeft) }

// untilEnd returns a context that also ends with the server. A request whose deadline is
// sooner than that needs none. The function frees its memory. Requests over HTTP have such
// a context from their server.
func (p *pipeline) untilEnd(ctx context.Context) (context.Context, func()) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < p.drain {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.ending, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// ended names the reason of a request that ended with the server.
func (p *pipeline) ended(err *error) {
	if *err != nil && fault.KindOf(*err) == fault.Canceled && p.ending.Err() != nil {
		*err = fault.New(fault.Unavailable, "the server is stopping; send the request again").Because(*err)
	}
}

// recovered turns a panic into a fault. It must be deferred last, so that it runs
// first: otherwise log and metrics would not see the fault.
func (p *pipeline) recovered(ctx context.Context, err *error) {
	if v := recover(); v != nil {
		p.log.ErrorContext(ctx, "panic", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		*err = fault.New(fault.Internal, "internal error; the cause is in the log")
	}
}

// methodMetrics are the collectors of one method.
type methodMetrics struct {
	duration, overhead prometheus.Observer
	ok                 prometheus.Counter
}

func (p *pipeline) method(name string) *methodMetrics {
	if m, ok := p.methods.Load(name); ok {
		return m.(*methodMetrics) // the map holds nothing else
	}
	m, _ := p.methods.LoadOrStore(name, &methodMetrics{
		p.duration.WithLabelValues(name), p.overhead.WithLabelValues(name), p.total.WithLabelValues(name, codes.OK.String()),
	})
	return m.(*methodMetrics) // the map holds nothing else
}

// record counts a request that has ended and logs its error.
func (p *pipeline) record(ctx context.Context, method string, start time.Time, err error) {
	m := p.method(method)
	m.duration.Observe(time.Since(start).Seconds())
	if err == nil {
		m.ok.Inc()
		return
	}
	p.total.WithLabelValues(method, status.Code(toStatus(err)).String()).Inc()
	p.faults.log(ctx, p.log, method, err)
}

// observeOverhead records the time of a request without the wait for the store.
func (p *pipeline) observeOverhead(method string, d time.Duration) {
	p.method(method).overhead.Observe(d.Seconds())
}
