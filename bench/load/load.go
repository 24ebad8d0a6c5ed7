// Package load puts load on GetOnlineFeatures and compares responses with the data
// set. In a closed loop each worker sends the next request when it has its response.
// In an open loop requests are due at a fixed rate and their latency counts from the
// time they were due, so that a slow response also counts for the requests that
// waited behind it.
package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/bench/dataset"
)

// Target is a server and its protocol.
type Target struct {
	Addr string
	// Method is the full gRPC method; empty means POST /get-online-features.
	Method string
}

// Options of one measurement.
type Options struct {
	Case dataset.Case
	// Workers is the number of requests in flight, in an open loop the maximum.
	Workers int
	// Rate is the requests per second of an open loop; 0 means a closed loop.
	Rate float64
	// Warm is the time before the measurement.
	Warm, For time.Duration
	// Timeout of one request.
	Timeout time.Duration
	// Check makes one of every Check responses be decoded and compared.
	Check int
	// Window is called as the measured time begins and ends.
	Window func(begins bool)
}

// Result of one measurement.
type Result struct {
	// Responses and Errors are counts of the measured time; latencies are of responses.
	Responses, Errors int
	Seconds           float64
	Latencies         []time.Duration // sorted
	Kinds             map[string]int  // of errors
	Cells             int             // compared
	Lost, Wrong       int
}

// Quantile of the latencies.
func (r *Result) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[min(len(r.Latencies)-1, int(q*float64(len(r.Latencies))))]
}

// sender sends one request; keep says whether the bytes of the response are needed.
type sender interface {
	send(worker int, body []byte, keep bool) ([]byte, error)
	close()
}

// The phases of a run.
const (
	warming = iota
	measuring
	over
)

type run struct {
	Options
	sender sender
	decode func([]byte) (response, error)
	reqs   []request
	phase  atomic.Int32
	ticket atomic.Int64
	start  time.Time

	mu  sync.Mutex
	res Result
}

// Run measures once.
func Run(t Target, o Options) (*Result, error) {
	r := &run{Options: o, decode: decodeJSON, sender: newWeb(t.Addr, o)}
	if t.Method != "" {
		rpc, err := newRPC(t, o)
		if err != nil {
			return nil, err
		}
		r.decode, r.sender = decodeProto, rpc
	}
	defer r.sender.close()
	for range max(256/o.Case.Rows, 64) {
		rq, err := makeRequest(o.Case, t.Method != "")
		if err != nil {
			return nil, err
		}
		r.reqs = append(r.reqs, rq)
	}
	r.res.Kinds = map[string]int{}
	r.start = time.Now()
	var group sync.WaitGroup
	for w := range o.Workers {
		group.Go(func() { r.work(w) })
	}
	<-time.After(o.Warm)
	begun := time.Now()
	o.Window(true)
	r.phase.Store(measuring)
	<-time.After(o.For)
	r.phase.Store(over)
	o.Window(false)
	r.res.Seconds = time.Since(begun).Seconds()
	group.Wait()
	slices.Sort(r.res.Latencies)
	return &r.res, nil
}

// due waits until the next request is due. It returns this time and whether the run
// still goes on. In a closed loop the request is due now.
func (r *run) due() (t time.Time, more bool) {
	if r.Rate == 0 {
		return time.Now(), r.phase.Load() != over
	}
	t = r.start.Add(time.Duration(float64(r.ticket.Add(1)-1) / r.Rate * float64(time.Second)))
	if d := time.Until(t); d > 0 {
		<-time.After(d)
	}
	return t, t.Before(r.start.Add(r.Warm + r.For))
}

// measured reports whether a request counts: in a closed loop if it ends in the
// measured time, in an open loop if it was due in it, however late it was sent.
func (r *run) measured(due time.Time) bool {
	if r.Rate == 0 {
		return r.phase.Load() == measuring
	}
	return !due.Before(r.start.Add(r.Warm))
}

func (r *run) work(worker int) {
	var mine []time.Duration
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.res.Latencies = append(r.res.Latencies, mine...)
		r.res.Responses += len(mine)
	}()
	for n := worker; ; n++ {
		due, more := r.due()
		if !more {
			return
		}
		rq := &r.reqs[rand.IntN(len(r.reqs))]
		keep := n%r.Check == 0
		b, err := r.sender.send(worker, rq.body, keep)
		took := time.Since(due)
		counts := r.measured(due)
		if err == nil && keep {
			err = r.compare(rq, b)
		}
		switch {
		case !counts:
		case err != nil:
			r.fault(err)
		default:
			mine = append(mine, took)
		}
	}
}

func (r *run) compare(rq *request, b []byte) error {
	a, err := r.decode(b)
	if err != nil {
		return err
	}
	v, err := rq.check(a)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.res.Cells += v.cells
	r.res.Lost += v.lost
	r.res.Wrong += v.wrong
	return err
}

var numbers = regexp.MustCompile(`\d{2,}`)

func (r *run) fault(err error) {
	s := err.Error()
	if st, ok := status.FromError(err); ok {
		s = st.Code().String() + ": " + st.Message()
	}
	s = numbers.ReplaceAllString(s[:min(len(s), 160)], "N")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.res.Errors++
	r.res.Kinds[s]++
}

// rpc sends requests by gRPC over a few connections.
type rpc struct {
	conns   []*grpc.ClientConn
	method  string
	timeout time.Duration
}

// reply receives a response; it keeps the bytes only if they are needed.
type reply struct {
	keep bool
	b    []byte
}

type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (bytesCodec) Unmarshal(d mem.BufferSlice, v any) error {
	if r := v.(*reply); r.keep {
		r.b = d.Materialize()
	}
	return nil
}

func newRPC(t Target, o Options) (*rpc, error) {
	r := &rpc{method: t.Method, timeout: o.Timeout}
	for range min(4, o.Workers) {
		c, err := grpc.NewClient(t.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{}), grpc.MaxCallRecvMsgSize(64<<20)),
			grpc.WithInitialWindowSize(1<<20), grpc.WithInitialConnWindowSize(4<<20))
		if err != nil {
			return nil, err
		}
		r.conns = append(r.conns, c)
	}
	return r, nil
}

func (r *rpc) send(worker int, body []byte, keep bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	out := reply{keep: keep}
	err := r.conns[worker%len(r.conns)].Invoke(ctx, r.method, body, &out)
	return out.b, err
}

func (r *rpc) close() {
	for _, c := range r.conns {
		_ = c.Close()
	}
}

// web sends requests by HTTP, over a connection for each worker.
type web struct {
	client  *fasthttp.HostClient
	uri     string
	timeout time.Duration
}

func newWeb(addr string, o Options) *web {
	return &web{
		client: &fasthttp.HostClient{Addr: addr, MaxConns: o.Workers + 4, MaxIdemponentCallAttempts: 1},
		uri:    "http://" + addr + "/get-online-features", timeout: o.Timeout,
	}
}

var errCut = errors.New("the response was truncated")

func (w *web) send(_ int, body []byte, keep bool) (out []byte, err error) {
	q, s := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(s)
	q.SetRequestURI(w.uri)
	q.Header.SetMethod("POST")
	q.Header.SetContentType("application/json")
	q.SetBodyRaw(body)
	if err := w.client.DoTimeout(q, s, w.timeout); err != nil {
		return nil, err
	}
	got := s.Body()
	if s.StatusCode() != 200 {
		return nil, fmt.Errorf("HTTP %d: %.120s", s.StatusCode(), got)
	}
	if len(got) < 2 || got[len(got)-1] != '}' {
		return nil, errCut
	}
	if keep {
		out = slices.Clone(got)
	}
	return out, nil
}

func (w *web) close() { w.client.CloseIdleConnections() }
