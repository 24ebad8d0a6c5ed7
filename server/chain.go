package server

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
)

// handler answers one request; the chain does not look into either.
type handler = func(ctx context.Context, req any) (any, error)

// chain is what every request passes, whichever surface it comes by: metrics,
// log, statuses for errors, bounded work, recovery.
type chain struct {
	log       *slog.Logger
	gate      *gate
	governor  *governor
	bodyBytes int64
	duration  *prometheus.HistogramVec
	own       *prometheus.HistogramVec
	total     *prometheus.CounterVec
	inFlight  prometheus.Gauge
	methods   sync.Map // method to *methodMetrics
	refusals  faultLog
}

// methodMetrics are the collectors of one method, looked up once.
type methodMetrics struct {
	duration, own prometheus.Observer
	ok            prometheus.Counter
}

func (c *chain) method(name string) *methodMetrics {
	if m, ok := c.methods.Load(name); ok {
		return m.(*methodMetrics) // the map holds nothing else
	}
	m, _ := c.methods.LoadOrStore(name, &methodMetrics{
		c.duration.WithLabelValues(name), c.own.WithLabelValues(name), c.total.WithLabelValues(name, codes.OK.String()),
	})
	return m.(*methodMetrics) // the map holds nothing else
}

// overhead notes what a request cost beside the wait for the store.
func (c *chain) overhead(method string, d time.Duration) { c.method(method).own.Observe(d.Seconds()) }

// storeWait carries from a handler to the chain how long the store took.
type storeWait struct {
	context.Context
	wait time.Duration
}

type storeWaitKey struct{}

// Value gives the carrier itself.
func (s *storeWait) Value(key any) any {
	if key == (storeWaitKey{}) {
		return s
	}
	return s.Context.Value(key)
}

// waited tells the chain how long the store took.
func waited(ctx context.Context, d time.Duration) {
	if s, ok := ctx.Value(storeWaitKey{}).(*storeWait); ok {
		s.wait += d
	}
}

func newChain(opt *Options) *chain {
	c := &chain{
		log: opt.Log, bodyBytes: int64(opt.BodyBytes),
		gate: newGate(opt.Concurrency, opt.Queue), governor: newGovernor(opt.Log),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "banquet_request_duration_seconds", Help: "Time from a request read to its answer made.",
			Buckets: []float64{.0002, .0005, .001, .002, .003, .005, .0075, .01, .015, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method"}),
		own: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "banquet_request_overhead_seconds", Help: "Time that a request took beside the wait for the online store: over HTTP from the request read to the answer written, over gRPC from the request decoded to the answer made.",
			Buckets: []float64{.00005, .0001, .00015, .0002, .0003, .0005, .00075, .001, .002, .005, .01, .025, .05, .1},
		}, []string{"method"}),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_requests_total", Help: "Requests answered, by method and gRPC code.",
		}, []string{"method", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "banquet_requests_in_flight", Help: "Requests under way."}),
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(c.duration, c.own, c.total, c.inFlight, c.governor.gauge())
	}
	return c
}

// do runs a handler within the chain.
func (c *chain) do(ctx context.Context, method string, req any, next handler) (any, error) {
	start := time.Now()
	c.inFlight.Inc()
	defer c.inFlight.Dec()
	resp, err := c.guarded(ctx, req, next)
	if err != nil {
		c.refusals.log(ctx, c.log, method, err)
	}
	m := c.method(method)
	m.duration.Observe(time.Since(start).Seconds())
	if err == nil {
		m.ok.Inc()
	} else {
		c.total.WithLabelValues(method, status.Code(toStatus(err)).String()).Inc()
	}
	return resp, err
}

// guarded bounds the work under way and turns panics into faults.
func (c *chain) guarded(ctx context.Context, req any, next handler) (resp any, err error) {
	admit, err := c.governor.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer admit()
	leave, err := c.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	defer func() {
		if p := recover(); p != nil {
			c.log.ErrorContext(ctx, "panic", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			resp, err = nil, fault.New(fault.Internal, "internal error; the cause is in the log")
		}
	}()
	return next(ctx, req)
}

// unary is the chain as a gRPC interceptor.
func (c *chain) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if isHealth(info.FullMethod) {
		return next(ctx, req)
	}
	start := time.Now()
	if tooLargeMessage(req) {
		next = func(context.Context, any) (any, error) { return nil, tooLarge(c.bodyBytes) }
	}
	carrier := &storeWait{Context: ctx}
	resp, err := c.do(carrier, info.FullMethod, req, handler(next))
	if carrier.wait > 0 {
		c.overhead(info.FullMethod, time.Since(start)-carrier.wait)
	}
	return resp, toStatus(err)
}

// stream is the chain as an interceptor of streams.
func (c *chain) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if isHealth(info.FullMethod) {
		return next(srv, ss)
	}
	_, err := c.do(ss.Context(), info.FullMethod, nil, func(context.Context, any) (any, error) { return nil, next(srv, sized{ss, c.bodyBytes}) })
	return toStatus(err)
}

// sized refuses messages of a stream that were too large to be read.
type sized struct {
	grpc.ServerStream
	limit int64
}

// RecvMsg reads a message.
func (s sized) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil && tooLargeMessage(m) {
		return tooLarge(s.limit)
	}
	return err
}

// isHealth tells questions for health, which are answered however much there is
// to do: a server that is busy must not be taken for one that is ill, and those
// who watch take nobody's place.
func isHealth(method string) bool { return strings.HasPrefix(method, "/grpc.health.v1.Health/") }

// gate lets so many requests in at once and so many wait; more are turned away
// at once, so that those who are in keep their latency.
type gate struct {
	slots chan struct{}
	queue chan struct{}
}

func newGate(concurrency, queue int) *gate {
	if concurrency <= 0 {
		return &gate{}
	}
	return &gate{slots: make(chan struct{}, concurrency), queue: make(chan struct{}, concurrency+max(queue, 0))}
}

func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if g.slots == nil {
		return func() {}, nil
	}
	select {
	case g.queue <- struct{}{}:
	default:
		return nil, fault.New(fault.Overloaded, "too many requests are under way; try again shortly (banquet.limits.concurrency, queue)")
	}
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots; <-g.queue }, nil
	case <-ctx.Done():
		<-g.queue
		return nil, fault.Of(ctx.Err())
	}
}
