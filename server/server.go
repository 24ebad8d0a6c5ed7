package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
)

// Server serves gRPC, HTTP and the admin routes.
type Server struct {
	opt      Options
	pipeline *pipeline
	runs     *runs
	grpc     *grpc.Server
	flight   *flightService
	http     *http.Server // nil for a server of the offline store alone
	admin    *http.Server
	health   *health.Server
	// listeners by surface
	grpcListener, httpListener, adminListener net.Listener
	draining                                  atomic.Bool
	store                                     readiness
	serving                                   atomic.Bool // what gRPC's health says
}

// Addresses are the addresses on which a server listens; HTTP may be empty.
type Addresses struct {
	GRPC, HTTP, Admin string
}

// New makes a server and opens its listeners.
func New(ctx context.Context, opt Options) (*Server, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.BodyBytes <= 0 {
		opt.BodyBytes = 64 << 20
	}
	if opt.DrainTime <= 0 {
		opt.DrainTime = 10 * time.Second
	}
	s := &Server{opt: opt, health: health.NewServer(), store: readiness{ready: opt.Ready, log: opt.Log}}
	s.health.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	p := newPipeline(&s.opt)
	s.pipeline, s.runs = p, newRuns(&s.opt, p)
	s.grpc = newGRPC(&s.opt, p)
	s.flight = newFlight(&s.opt, p)
	s.flight.register(s.grpc)
	if !opt.OfflineOnly {
		if err := s.registerOnline(ctx); err != nil {
			return nil, err
		}
	}
	bypassed := bypass{to: s.grpc, pipeline: p}
	healthpb.RegisterHealthServer(bypassed, s.health)
	reflection.Register(bypassed)
	s.admin = newHTTP(context.Background(), s.adminHandler())
	return s, s.listen(ctx)
}

// registerOnline registers all services but that of the offline store, and makes the
// routes of HTTP.
func (s *Server) registerOnline(ctx context.Context) error {
	p := s.pipeline
	rows := newWriter(&s.opt)
	rows.ending = p.ending
	features, reg := &features{opt: &s.opt, pipeline: p, writer: rows}, &registryService{opt: &s.opt}
	services := registrar{to: s.grpc, pipeline: p}
	banquetv1.RegisterFeatureServiceServer(services, features)
	banquetv1.RegisterRegistryServiceServer(services, reg)
	banquetv1.RegisterMaterializeServiceServer(services, &materializeService{runs: s.runs})
	feast.RegisterServingServiceServer(services, &feastServing{opt: &s.opt, pipeline: p})
	feast.RegisterGrpcFeatureServerServer(services, &feastListen{opt: &s.opt, pipeline: p, writer: rows})
	gateway, err := newGateway(ctx, p, features, reg)
	if err != nil {
		return fault.New(fault.Internal, "the REST gateway cannot be created").Because(err)
	}
	handler, err := newWeb(&s.opt, p, s.runs, rows, gateway)
	if err != nil {
		return err
	}
	s.http = newHTTP(p.ending, handler)
	return nil
}

// streamWorkers is how many goroutines handle gRPC's requests. Their stacks already
// have the size that a request needs; the stack of a new goroutine would be copied
// several times as it grows. When all are busy, gRPC starts new goroutines.
const streamWorkers = 128

// streamsPerConnection bounds the streams of a connection, silent ones included. With
// more, the client waits.
const streamsPerConnection = 1000

func newGRPC(opt *Options, p *pipeline) *grpc.Server {
	creds := insecure.NewCredentials()
	if opt.TLS != nil {
		creds = credentials.NewTLS(opt.TLS.Clone())
	}
	return grpc.NewServer(
		grpc.Creds(creds), grpc.ForceServerCodecV2(newSpliceCodec(p.messages)), experimental.BufferPool(p.messages), grpc.NumStreamWorkers(streamWorkers),
		// The codec refuses a message over banquet's limit with banquet's error. gRPC
		// refuses an even larger one with its own, before it has read or decompressed
		// all of it.
		grpc.MaxRecvMsgSize(opt.BodyBytes+64<<10), grpc.MaxSendMsgSize(1<<30), grpc.MaxConcurrentStreams(streamsPerConnection),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ConnectionTimeout(20*time.Second), grpc.MaxHeaderListSize(64<<10),
	)
}

// writeTimeout bounds the time to write a response: a caller who does not read must
// not hold its memory for ever. Each chunk of a stream has chunkTimeout.
const writeTimeout = 5 * time.Minute

// newHTTP makes a server. Its requests end with ctx.
func newHTTP(ctx context.Context, h http.Handler) *http.Server {
	return &http.Server{
		BaseContext: func(net.Listener) context.Context { return ctx },
		Handler:     h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: writeTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
}

// listen opens the listeners; port 0 picks a free one.
func (s *Server) listen(ctx context.Context) error {
	var lc net.ListenConfig
	for _, l := range []struct {
		what, address string
		into          *net.Listener
	}{{"gRPC", s.opt.GRPC, &s.grpcListener}, {"HTTP", s.opt.HTTP, &s.httpListener}, {"admin", s.opt.Admin, &s.adminListener}} {
		if l.into == &s.httpListener && s.http == nil {
			continue
		}
		listener, err := lc.Listen(ctx, "tcp", l.address)
		if err != nil {
			s.closeListeners()
			return fault.New(fault.Unavailable, "cannot listen for %s on %s; is another server running there? Choose another port, or 0 for a free one", l.what, l.address).Because(err)
		}
		*l.into = listener
	}
	if s.opt.TLS != nil && s.httpListener != nil {
		conf := s.opt.TLS.Clone()
		conf.NextProtos = []string{"h2", "http/1.1"}
		s.httpListener = tls.NewListener(s.httpListener, conf)
	}
	return nil
}

func (s *Server) closeListeners() {
	for _, l := range []net.Listener{s.grpcListener, s.httpListener, s.adminListener} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// Addresses returns the addresses on which the server listens.
func (s *Server) Addresses() Addresses {
	a := Addresses{GRPC: s.grpcListener.Addr().String(), Admin: s.adminListener.Addr().String()}
	if s.httpListener != nil {
		a.HTTP = s.httpListener.Addr().String()
	}
	return a
}

// Run serves until ctx is done, then drains: health reports it first, requests in
// flight may finish, and those left after the drain time are aborted.
func (s *Server) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return s.opt.Registry.Run(running) })
	group.Go(func() error {
		s.pipeline.governor.run(running)
		return nil
	})
	s.store.check(running, firstCheck)
	if s.reportServing(); !s.serving.Load() || s.opt.Ready != nil { // with a registry, health is SERVING from the first request on
		group.Go(func() error {
			s.watchReadiness(running)
			return nil
		})
	}
	group.Go(func() error {
		// Serve returns this error when the server is stopped before it has started.
		if err := s.grpc.Serve(s.grpcListener); !errors.Is(err, grpc.ErrServerStopped) {
			return err
		}
		return nil
	})
	for _, h := range []struct {
		server   *http.Server
		listener net.Listener
	}{{s.http, s.httpListener}, {s.admin, s.adminListener}} {
		if h.server == nil {
			continue
		}
		group.Go(func() error {
			if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		<-running.Done()
		s.drain(context.WithoutCancel(ctx))
		return nil
	})
	return group.Wait()
}

// drain stops accepting requests, stops materializations, which can be resumed, and
// waits for the requests in flight.
func (s *Server) drain(ctx context.Context) {
	s.draining.Store(true)
	s.health.Shutdown()
	s.pipeline.stop()
	ctx, cancel := context.WithTimeout(ctx, s.opt.DrainTime)
	defer cancel()
	defer time.AfterFunc(s.pipeline.drain, s.pipeline.end).Stop()
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	s.runs.drain(ctx)
	if s.http != nil {
		if err := s.http.Shutdown(ctx); err != nil {
			_ = s.http.Close()
		}
	}
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
	}
	s.pipeline.end()
	s.flight.waiting.Close()
	_ = s.admin.Shutdown(ctx)
}

// adminHandler serves metrics, health and, if it is enabled, profiles.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	if s.opt.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(s.opt.Metrics, promhttp.HandlerOpts{}))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	if s.opt.PProf {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// ready reports whether the server accepts requests: a registry has been loaded, the
// online store can be called, and the server is not stopping. With ?verbose it adds the state of the registry.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	st := s.opt.Registry.Status()
	switch {
	case s.draining.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("stopping\n"))
		return
	case s.opt.Registry.Snapshot() == nil:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no registry has been loaded yet\n"))
		return
	case s.store.fault() != nil:
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "online store: %s\n", fault.Of(s.store.fault()).Text)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
	if _, verbose := r.URL.Query()["verbose"]; !verbose {
		return
	}
	fmt.Fprintf(w, "registry: generation %d, last checked %v ago\n", st.Generation, time.Since(st.Checked).Round(time.Millisecond))
	if st.Err != nil {
		fmt.Fprintf(w, "registry: %s; the last good registry has been in use since %s\n", fault.Of(st.Err).Text, st.Since.UTC().Format(time.RFC3339))
	}
}
