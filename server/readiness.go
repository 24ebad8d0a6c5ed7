package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/banquet-fs/banquet/fault"
)

// readiness is whether the online store can be called.
type readiness struct {
	ready func(context.Context) error // nil: always
	log   *slog.Logger
	last  atomic.Pointer[error]
}

const (
	// firstCheck bounds the check before a server responds: what is at hand is found, and
	// nothing is waited for.
	firstCheck = 200 * time.Millisecond
	// checkTime bounds one check; checkEvery is the time between two while the server is
	// ready, againEvery while it is not.
	checkTime, checkEvery, againEvery = 5 * time.Second, 5 * time.Second, 2 * time.Second
)

// check asks the store, for at most a time, and logs a change.
func (r *readiness) check(ctx context.Context, atMost time.Duration) {
	if r.ready == nil {
		return
	}
	checking, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	err := r.ready(checking)
	if ctx.Err() != nil {
		return
	}
	before := r.fault()
	r.last.Store(&err)
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		r.log.ErrorContext(ctx, "not ready", slog.String("reason", fault.Of(err).Text), slog.Any("cause", fault.Cause(err)))
	case err == nil && before != nil:
		r.log.WarnContext(ctx, "ready again")
	}
}

// fault is what the last check found.
func (r *readiness) fault() error {
	if last := r.last.Load(); last != nil {
		return *last
	}
	return nil
}

// reportServing sets gRPC's health to whether the server is ready.
func (s *Server) reportServing() {
	serving := s.opt.Registry.Snapshot() != nil && s.store.fault() == nil
	if serving == s.serving.Load() {
		return
	}
	s.serving.Store(serving)
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		status = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status) // after a shutdown it stays NOT_SERVING
}

// watchReadiness keeps gRPC's health up to date.
func (s *Server) watchReadiness(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for checked := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		every := checkEvery
		if s.store.fault() != nil {
			every = againEvery
		}
		if time.Since(checked) >= every {
			s.store.check(ctx, checkTime)
			checked = time.Now()
		}
		if s.reportServing(); s.serving.Load() && s.opt.Ready == nil {
			return
		}
	}
}
