package server

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
)

// Neither the size of the last response nor the size that a caller announces makes
// the server allocate without bound.
func TestMemoryTakenBeforehandIsBounded(t *testing.T) {
	x := newSubject(t, size{100, 10, 25}, 10)
	r := x.response(t)
	for _, cell := range []int64{0, 20, 1 << 20, math.MaxInt64 / 32} { // bytes of a cell of the last response
		var c cellSize
		c.sixteenths.Store(16 * cell)
		if got := c.estimate(r); got < 0 || got > 2*maxEstimate {
			t.Errorf("after cells of %d bytes the estimate is %d", cell, got)
		}
	}
	s := &scanner{b: []byte("[" + strings.Repeat(",", 1<<20) + "]")}
	if got := s.countElements(); got > maxPreallocated {
		t.Errorf("%d elements are allocated", got)
	}
	opt := &Options{BodyBytes: 64 << 20, Log: slog.New(slog.DiscardHandler)}
	w, err := newWeb(opt, newPipeline(opt), newRuns(opt, newPipeline(opt)), newWriter(opt), http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
	req.ContentLength = 64 << 20
	call := &onlineCall{web: w, w: httptest.NewRecorder(), r: req}
	if err := call.receive(t.Context()); err != nil || string(call.raw) != "{}" || cap(call.raw) > 2*firstRead || call.reserved != 0 {
		t.Errorf("a body of %d bytes in %d: %v", len(call.raw), cap(call.raw), err)
	}
}

// An overloaded server says so on every surface, and its health check still works.
func TestOverloadOnEverySurface(t *testing.T) {
	x := newSubject(t, sizes[0], 2)
	opt := &Options{Serving: x.service, BodyBytes: 1 << 20, Log: slog.New(slog.DiscardHandler)}
	p := newPipeline(opt)
	p.governor.limit.Store(0)
	web, err := newWeb(opt, p, newRuns(opt, p), newWriter(opt), http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/get-online-features", "/v1/online-features", "/v1/online-features:stream"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(x.body))
		r.Header.Set("Content-Type", "application/json")
		web.ServeHTTP(w, r)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "more requests") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	called := func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
		return "done", nil
	}
	_, err = registrar{pipeline: p}.unary(methodFeatures, called)(nil, t.Context(), nil, nil)
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("gRPC: %v", err)
	}
}

// The limiter bounds running and waiting requests; one more is refused, and a request
// that stops waiting frees its place in the queue.
func TestConcurrencyAndQueueAreBounded(t *testing.T) {
	g := newLimiter(2, 1)
	for range 2 {
		if err := g.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the first one frees its place in the queue
		ctx, stop := context.WithCancel(t.Context())
		waits := make(chan error, 1)
		go func() {
			waits <- g.acquire(ctx)
		}()
		for len(g.queue) < 3 {
			runtime.Gosched()
		}
		if err := g.acquire(t.Context()); fault.KindOf(err) != fault.Overloaded || !strings.Contains(err.Error(), "banquet.limits.concurrency") {
			t.Errorf("one more than the queue: %v", err)
		}
		stop()
		if err := <-waits; fault.KindOf(err) != fault.Canceled {
			t.Errorf("a canceled wait: %v", err)
		}
	}
	let := make(chan error, 1)
	go func() { let <- g.acquire(t.Context()) }()
	g.release()
	if err := <-let; err != nil {
		t.Errorf("a request that waited: %v", err)
	}
}

// A caller who reads nothing of a stream over gRPC does not keep a slot either.
func TestAChunkThatIsNotTakenEndsTheStream(t *testing.T) {
	gone := make(chan struct{})
	err := sendWithin(10*time.Millisecond, func() error {
		<-gone
		return nil
	})
	close(gone)
	if fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v", err)
	}
	if err := sendWithin(time.Minute, func() error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
}

// Every kind of fault has a code and a status that say who is responsible.
func TestOutcomes(t *testing.T) {
	for kind, want := range map[fault.Kind]outcome{
		fault.Invalid: {codes.InvalidArgument, 400}, fault.NotFound: {codes.NotFound, 404}, fault.Unauthenticated: {codes.Unauthenticated, 401},
		fault.Denied: {codes.PermissionDenied, 403}, fault.Disabled: {codes.FailedPrecondition, 400}, fault.Conflict: {codes.Aborted, 409},
		fault.Unavailable: {codes.Unavailable, 503}, fault.TimedOut: {codes.DeadlineExceeded, 504}, fault.Canceled: {codes.Canceled, 499},
		fault.Overloaded: {codes.ResourceExhausted, 429}, fault.TooLarge: {codes.ResourceExhausted, 413}, fault.Unimplemented: {codes.Unimplemented, 501}, fault.Internal: {codes.Internal, 500},
	} {
		if got := outcomes(kind); got != want {
			t.Errorf("%v is %v, want %v", kind, got, want)
		}
		if code := status.Code(toStatus(fault.New(kind, "x"))); code != want.grpc {
			t.Errorf("%v is %v over gRPC, want %v", kind, code, want.grpc)
		}
	}
	for _, kind := range []fault.Kind{fault.NotFound, fault.Denied, fault.Invalid, fault.Overloaded} {
		if got := serverSide(fault.Store(kind, "x")).Kind; got != fault.Unavailable {
			t.Errorf("%v of a store is %v for the caller, want an outage", kind, got)
		}
	}
}

// A timeout larger than a Duration does not overflow into the past.
func TestLongTimesAreNoShortOnes(t *testing.T) {
	for text, least := range map[string]time.Duration{
		"99999999H": 24 * time.Hour, "99999999M": 24 * time.Hour, "99999999S": 24 * time.Hour, "2000m": time.Second, "3000000u": time.Second,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		r.Header.Set("Grpc-Timeout", text)
		ctx, cancel, err := deadline(r)
		if err != nil {
			t.Fatal(err)
		}
		if end, ok := ctx.Deadline(); !ok || time.Until(end) < least {
			t.Errorf("%s ends at %v", text, end)
		}
		cancel()
	}
}

// deadlines checks the write deadlines of a response.
type deadlines struct {
	*httptest.ResponseRecorder
	writes int
	last   time.Time
	t      *testing.T
}

// SetWriteDeadline is called by http.ResponseController.
func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.last = at
	return nil
}

// Write fails the test if it has no deadline.
func (d *deadlines) Write(b []byte) (int, error) {
	d.writes++
	if left := time.Until(d.last); left <= 0 || left > chunkTimeout {
		d.t.Errorf("write %d may take %v", d.writes, left)
	}
	d.last = time.Time{}
	return d.ResponseRecorder.Write(b)
}

// A caller who reads nothing of a stream does not keep a slot.
func TestChunksOfAStreamAreSentInBoundedTime(t *testing.T) {
	x := newSubject(t, size{10, 1, 2}, 1)
	opt := &Options{Serving: x.service, Log: slog.New(slog.DiscardHandler), BodyBytes: 1 << 20}
	s, err := newWeb(opt, newPipeline(opt), newRuns(opt, newPipeline(opt)), newWriter(opt), http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder(), t: t}
	body := strings.TrimSuffix(x.body, "}") + `,"chunk_rows":2}`
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/online-features:stream", strings.NewReader(body)))
	if w.writes != 5 || w.Code != http.StatusOK {
		t.Errorf("%d writes, status %d: %s", w.writes, w.Code, w.Body)
	}
}
