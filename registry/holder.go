package registry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// refreshEvery is how often a Holder checks whether the registry has changed: a
// change is in use within a second.
const refreshEvery = 400 * time.Millisecond

// HolderOptions configure a Holder.
type HolderOptions struct {
	Storage Storage
	// Project is the served project: a registry without it is refused. If it is empty,
	// every registry is accepted.
	Project  string
	Registry Options
	// Every is the time between two checks for changes; 0 is a default.
	Every time.Duration
	// Changed is called with each new snapshot, by one goroutine at a time.
	Changed func(*Snapshot)
	Log     *slog.Logger
}

// Holder holds the current snapshot. If the registry cannot be read or is broken, the
// last good snapshot stays the current one. A Holder is safe for concurrent use.
type Holder struct {
	opt     HolderOptions
	current atomic.Pointer[Snapshot]

	mu     sync.Mutex // one refresh at a time
	rev    Revision
	status atomic.Pointer[Status] // not under mu, which a hanging file system may hold
}

// Status is the state of a Holder.
type Status struct {
	// Err is the error of the last check of the registry; nil when it is up to date.
	Err error
	// Since is when this error began, or since when the snapshot is the current one.
	Since time.Time
	// Generation of the current snapshot; 0 before the first.
	Generation uint64
	// Checked is the time of the last successful check; zero before the first.
	Checked time.Time
}

// NewHolder makes a Holder. It has no snapshot before the first Refresh.
func NewHolder(opt HolderOptions) *Holder {
	if opt.Every <= 0 {
		opt.Every = refreshEvery
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	h := &Holder{opt: opt}
	h.status.Store(&Status{})
	return h
}

// Snapshot returns the current snapshot, nil before the first.
func (h *Holder) Snapshot() *Snapshot { return h.current.Load() }

// Status returns the state of the Holder. It never waits for the registry.
func (h *Holder) Status() Status { return *h.status.Load() }

// Refresh checks the registry and loads it if it has changed. After an error the
// current snapshot stays as it is.
func (h *Holder) Refresh(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.refresh(ctx)
	h.note(err)
	return err
}

func (h *Holder) refresh(ctx context.Context) error {
	if h.current.Load() != nil && h.Status().Err == nil {
		changed, err := h.opt.Storage.Changed(ctx, h.rev)
		if err != nil || !changed {
			return err
		}
	}
	reg, rev, err := h.opt.Storage.Load(ctx)
	if err != nil {
		return err
	}
	if rev == h.rev && h.current.Load() != nil {
		return nil // an earlier error is over, and the registry is the same
	}
	next, err := OpenSnapshot(reg, h.opt.Registry)
	if err != nil {
		return err
	}
	if err := h.checkProject(next); err != nil {
		return err
	}
	h.rev = rev
	h.current.Store(next)
	if h.opt.Changed != nil {
		h.opt.Changed(next)
	}
	return nil
}

func (h *Holder) checkProject(next *Snapshot) error {
	if h.opt.Project == "" {
		return nil
	}
	if _, err := next.Project(h.opt.Project); err != nil {
		return fault.New(fault.NotFound, "the registry does not hold project %s; run `banquet apply`, or correct project in feature_store.yaml", h.opt.Project).
			About("project", h.opt.Project, h.opt.Project).Because(err)
	}
	return nil
}

// note stores the result of a check, and logs it if it is new.
func (h *Holder) note(err error) {
	was := h.Status()
	now := was
	now.Err = err
	if s := h.current.Load(); s != nil {
		now.Generation = s.Generation()
	}
	switch {
	case err != nil && (was.Err == nil || was.Err.Error() != err.Error()):
		now.Since = time.Now()
		h.opt.Log.Error("the registry cannot be loaded; the last good one stays in use",
			slog.String("reason", err.Error()), slog.Any("cause", fault.Cause(err)))
	case err == nil && (was.Err != nil || was.Generation != now.Generation):
		now.Since = time.Now()
		h.opt.Log.Info("registry loaded", slog.Uint64("generation", now.Generation))
	}
	if err == nil {
		now.Checked = time.Now()
	}
	h.status.Store(&now)
}

// Run checks for changes until ctx is done, and then returns nil, even if the storage
// hangs.
func (h *Holder) Run(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.watch(ctx)
	}()
	<-ctx.Done()
	select {
	case <-ended:
	case <-time.After(h.opt.Every):
	}
	return nil
}

func (h *Holder) watch(ctx context.Context) {
	tick := time.NewTicker(h.opt.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = h.Refresh(ctx) // the error is in the status and the log
		}
	}
}
