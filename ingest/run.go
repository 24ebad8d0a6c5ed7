package ingest

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/registry"
)

// Materialize reads the rows of one window for each view. When a view fails, those
// that are done are written and recorded, those that are under way are finished, no
// other is begun, and the error says how far the run came. A row that cannot be
// encoded fails its view before any row of the view is written; a row that the
// store cannot hold fails the view after all other rows are stored.
//
// With Options.Runs, the next run of the same window continues a run that failed or
// was stopped: it reads the window again, and writes only the keys that are not
// stored yet.
func (m *Materializer) Materialize(ctx context.Context, req Request) ([]Result, error) {
	if req.Start.After(req.End) {
		return nil, fault.New(fault.Invalid, "the start %s lies after the end %s", stamp(req.Start), stamp(req.End))
	}
	return m.run(ctx, req, false, func(_ *registry.Project, v *registry.View) (Window, error) {
		return Window{View: v.Name, Start: req.Start, End: req.End}, nil
	})
}

// MaterializeIncremental reads for each view the rows since its last window. A
// view without a window starts its ttl ago, or a year ago when its ttl is 0. If an
// earlier incremental run was not finished, its window is finished first: the view
// then has two windows and two results. Of an on-demand view no windows are recorded: each
// run starts the largest ttl of its sources before its end, or a year.
func (m *Materializer) MaterializeIncremental(ctx context.Context, req Request) ([]Result, error) {
	return m.run(ctx, req, true, func(project *registry.Project, v *registry.View) (Window, error) {
		if v.Kind == registry.OnDemandView {
			return sinceTTL(project, v, req.End), nil
		}
		return m.sinceLast(v, req.End)
	})
}

func (m *Materializer) run(ctx context.Context, req Request, incremental bool, window func(*registry.Project, *registry.View) (Window, error)) ([]Result, error) {
	if err := req.Shard.check(m, incremental); err != nil {
		return nil, err
	}
	project, err := m.project(ctx)
	if err != nil {
		return nil, err
	}
	views, old, err := m.requested(project, req)
	if err != nil {
		return nil, err
	}
	if old && req.Shard.Count > 1 {
		return nil, fault.New(fault.Invalid, "version v%d of feature view %s is not the current one, and cannot be materialized in shards", *req.Version, req.Views[0])
	}
	// Nothing is changed before all windows are known.
	windows := make([]Window, len(views))
	for i, v := range views {
		if windows[i], err = window(project, v); err != nil {
			return nil, err
		}
	}
	var steps []*step
	var jobs [][]*step
	for i, v := range views {
		job, err := m.job(ctx, req, plan{Window: windows[i], inProject: project, view: v, incremental: incremental, shard: req.Shard, dry: req.DryRun, old: old})
		if err != nil {
			return nil, err
		}
		steps, jobs = append(steps, job...), append(jobs, job)
	}
	m.observe(func(o *Observer) {
		if o.Planned == nil {
			return
		}
		planned := make([]Window, len(steps))
		for i, s := range steps {
			planned[i] = s.Window
		}
		o.Planned(planned)
	})
	m.all(ctx, jobs)
	var results []Result
	for _, s := range steps {
		if s.state == complete {
			results = append(results, s.result)
		}
	}
	return results, unfinished(ctx, steps)
}

// job are the windows of a view. A plan that is neither recorded nor continued has one.
func (m *Materializer) job(ctx context.Context, req Request, p plan) ([]*step, error) {
	plans := []plan{p}
	if !p.old && p.view.Kind != registry.OnDemandView {
		var err error
		if plans, err = m.plans(ctx, req, p.view, p.Window, p.incremental); err != nil {
			return nil, err
		}
	}
	job := make([]*step, len(plans))
	for i := range plans {
		job[i] = &step{plan: plans[i]}
	}
	return job, nil
}

// step is one window of a run, and what became of it.
type step struct {
	plan
	state  state
	result Result
	err    error
	kept   bool // what is stored need not be stored again
}

type state uint8

const (
	waiting state = iota
	complete
	failed
)

// all carries out the jobs, some at the same time, until one fails.
func (m *Materializer) all(ctx context.Context, jobs [][]*step) {
	var stop atomic.Bool
	var group errgroup.Group
	group.SetLimit(max(1, m.opt.Parallel))
	for _, job := range jobs {
		group.Go(func() error {
			for _, s := range job {
				if stop.Load() {
					break
				}
				if m.step(ctx, s); s.err != nil {
					stop.Store(true)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // each step has its own error
}

// step carries out one window.
func (m *Materializer) step(ctx context.Context, s *step) {
	m.observe(func(o *Observer) {
		if o.Started != nil {
			o.Started(s.Window)
		}
	})
	if s.again {
		views, err := m.views(ctx, []string{s.View})
		if err != nil {
			s.state, s.err, s.result = failed, err, Result{Window: s.Window}
			return
		}
		s.view = views[0]
	}
	t, err := m.window(ctx, s.plan)
	s.result, s.kept = t.result, t.kept
	if err != nil {
		s.state, s.err = failed, err
		return
	}
	s.state = complete
	m.observe(func(o *Observer) {
		if o.Finished != nil {
			o.Finished(s.result)
		}
	})
}

// observe calls the observer, one goroutine at a time.
func (m *Materializer) observe(call func(*Observer)) {
	m.told.Lock()
	defer m.told.Unlock()
	call(&m.opt.Observer)
}

// spool is the share of one view.
func (m *Materializer) spool() spool.Options {
	opt := m.opt.Spool
	if opt.Memory <= 0 {
		opt.Memory = defaultMemory
	}
	opt.Memory /= int64(max(1, m.opt.Parallel))
	return opt
}

// readers is how many readers a view may have.
func (m *Materializer) readers() int {
	if m.opt.Readers > 0 {
		return m.opt.Readers
	}
	return workers() / max(1, m.opt.Parallel)
}
