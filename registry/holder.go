package registry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// refreshEvery is how often a Holder asks whether the registry has changed: a
// change is served within a second.
const refreshEvery = 400 * time.Millisecond

// HolderOptions configure a Holder.
type HolderOptions struct {
	Storage Storage
	// Project is the served project: a registry that held it and does not any
	// more is a fault, not a change. Empty serves whatever the registry holds.
	Project  string
	Registry Options
	// Every is how often a change is looked for; 0 is a good default.
	Every time.Duration
	// Changed is told of each new snapshot, from one goroutine at a time.
	Changed func(*Snapshot)
	Log     *slog.Logger
}

// Holder keeps the snapshot in force. A registry that cannot be read, or that
// is broken, leaves the last good one in force. It is safe for concurrent use.
type Holder struct {
	opt     HolderOptions
	current atomic.Pointer[Snapshot]

	mu     sync.Mutex // one refresh at a time
	rev    Revision
	status atomic.Pointer[Status] // apart from mu, which a hanging file system may hold
}

// Status tells how a Holder is doing.
type Status struct {
	// Err is why the last look at the registry failed; nil when it is up to date.
	Err error
	// Since is when that began, or when the snapshot came into force.
	Since time.Time
	// Generation of the snapshot in force; 0 before the first.
	Generation uint64
	// Checked is when the registry was last found to be what is in force, or was
	// taken; zero before the first time.
	Checked time.Time
}

// NewHolder makes a Holder; it holds nothing before the first Refresh.
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

// Snapshot is the snapshot in force, nil before the first.
func (h *Holder) Snapshot() *Snapshot { return h.current.Load() }

// Status tells how the Holder is doing. It never waits for the registry.
func (h *Holder) Status() Status { return *h.status.Load() }

// Refresh looks at the registry and takes what has changed. An error leaves
// the snapshot in force as it is.
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
		return nil // a fault has passed and nothing is new
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

// note keeps the outcome of a look, and says in the log what is new about it.
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
		h.opt.Log.Error("the registry cannot be taken; the last good one stays in force",
			slog.String("reason", err.Error()), slog.Any("cause", fault.Cause(err)))
	case err == nil && (was.Err != nil || was.Generation != now.Generation):
		now.Since = time.Now()
		h.opt.Log.Info("registry in force", slog.Uint64("generation", now.Generation))
	}
	if err == nil {
		now.Checked = time.Now()
	}
	h.status.Store(&now)
}

// Run looks for changes until ctx is done, and then returns nil, also when the
// storage does not answer.
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
			_ = h.Refresh(ctx) // kept in the status and said in the log
		}
	}
}
