// Package ingest is everything that goes into the online store. Materialize
// reads a window of a feature view's batch source, keeps the newest row of each
// key, writes it and records the window in the registry once all rows are in.
package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// Options configure a Materializer.
type Options struct {
	Storage  registry.Storage
	Registry registry.Options
	Project  string
	Offline  offline.Store
	Online   stores.Writer
	// KeyVersion is the entity_key_serialization_version.
	KeyVersion int
	// BatchSize is how many rows one write carries; 0 is a good default.
	BatchSize int
	// BatchCells lets a write carry more rows, unless BatchSize is given, while it
	// has no more values than that: for stores that wait for a disk at each write.
	BatchCells int
	// Observer is told what happens; its zero value is silent.
	Observer Observer
	Log      *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Observer is told how a run goes, from one goroutine at a time. Nil functions
// are not called.
type Observer struct {
	// Planned comes once, before anything is read.
	Planned func(windows []Window)
	// Started comes before a view is read.
	Started func(w Window)
	// Written comes whenever more rows are acknowledged by the store; total is
	// the number of distinct keys, known once the window has been read.
	Written func(w Window, rows, total int)
	// Finished comes when a view is done and its window recorded.
	Finished func(r Result)
}

// Window is the span of event times, both inclusive, that a view is
// materialized for.
type Window struct {
	View       string
	Start, End time.Time
	// Assumed is set when an incremental run found no earlier window and a ttl
	// of 0, and therefore goes one year back.
	Assumed bool
}

// Result tells what became of one view.
type Result struct {
	Window
	Read     int64 // rows of the window
	Written  int   // rows acknowledged by the store: one for each distinct key
	NullKeys int64 // rows left out since a join key is null
	Elapsed  time.Duration
	// Hint is set when nothing was found: where the rows lie, and the command
	// that would take them.
	Hint string
}

// Request says what to materialize.
type Request struct {
	// Views by name; empty means every view that is served online.
	Views []string
	// Start is the first event time; ignored by an incremental run.
	Start time.Time
	// End is the last event time.
	End time.Time
}

// Materializer moves rows from the offline store to the online store.
type Materializer struct {
	opt Options
}

// New makes a Materializer.
func New(opt Options) *Materializer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.BatchSize > 0 {
		opt.BatchCells = 0
	} else {
		opt.BatchSize = defaultBatch
	}
	return &Materializer{opt: opt}
}

// Materialize takes the rows of one window for each view. Views are done one
// after the other; when one fails, those before it are written and recorded.
func (m *Materializer) Materialize(ctx context.Context, req Request) ([]Result, error) {
	if req.Start.After(req.End) {
		return nil, fault.New(fault.Invalid, "the start %s lies after the end %s", stamp(req.Start), stamp(req.End))
	}
	return m.run(ctx, req, func(v *registry.View) (Window, error) {
		return Window{View: v.Name, Start: req.Start, End: req.End}, nil
	})
}

// MaterializeIncremental takes for each view the rows since its last window.
// A view that has none goes back by its ttl, or by a year when its ttl is 0.
func (m *Materializer) MaterializeIncremental(ctx context.Context, req Request) ([]Result, error) {
	return m.run(ctx, req, func(v *registry.View) (Window, error) { return m.incremental(v, req.End) })
}

func (m *Materializer) run(ctx context.Context, req Request, window func(*registry.View) (Window, error)) ([]Result, error) {
	views, err := m.views(ctx, req.Views)
	if err != nil {
		return nil, err
	}
	windows := make([]Window, len(views))
	for i, v := range views {
		if windows[i], err = window(v); err != nil {
			return nil, err
		}
	}
	if m.opt.Observer.Planned != nil {
		m.opt.Observer.Planned(windows)
	}
	results := make([]Result, 0, len(views))
	for i, v := range views {
		if m.opt.Observer.Started != nil {
			m.opt.Observer.Started(windows[i])
		}
		r, err := m.view(ctx, v, windows[i])
		if err != nil {
			return results, err
		}
		if m.opt.Observer.Finished != nil {
			m.opt.Observer.Finished(r)
		}
		results = append(results, r)
	}
	return results, nil
}

// views resolves the names against the registry as it is now.
func (m *Materializer) views(ctx context.Context, names []string) ([]*registry.View, error) {
	reg, _, err := m.opt.Storage.Load(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := registry.OpenSnapshot(reg, m.opt.Registry)
	if err != nil {
		return nil, err
	}
	project, err := snapshot.Project(m.opt.Project)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return m.allViews(project)
	}
	views := make([]*registry.View, 0, len(names))
	for _, name := range names {
		v, err := project.View(name)
		if err != nil {
			return nil, err
		}
		if err := checkNamed(v); err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// allViews are the views that a run without names takes. One that only a
// function could fill is left out with a warning instead of written wrong.
func (m *Materializer) allViews(project *registry.Project) ([]*registry.View, error) {
	var views []*registry.View
	add := func(name string) error {
		v, err := project.View(name)
		if err != nil {
			return err
		}
		if !v.Online || !v.Enabled {
			return nil
		}
		if err := checkPlain(v); err != nil {
			m.opt.Log.Warn("feature view left out: "+err.Error(), slog.String("view", v.Name))
			return nil //nolint:nilerr // the view is left out, the others are loaded
		}
		views = append(views, v)
		return nil
	}
	for _, v := range project.FeatureViews() {
		if err := add(v.GetSpec().GetName()); err != nil {
			return nil, err
		}
	}
	for _, v := range project.StreamFeatureViews() {
		if err := add(v.GetSpec().GetName()); err != nil {
			return nil, err
		}
	}
	for _, v := range project.OnDemandFeatureViews() {
		if v.GetSpec().GetWriteToOnlineStore() {
			m.opt.Log.Warn("on-demand feature view left out: its function is not computed here",
				slog.String("view", v.GetSpec().GetName()))
		}
	}
	return views, nil
}

// checkNamed refuses a view that was asked for by name and cannot be taken.
func checkNamed(v *registry.View) error {
	refuse := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, format, args...).About("feature view", v.Name, v.Project)
	}
	switch {
	case v.Kind == registry.LabelView:
		return refuse(fault.Invalid, "%s is a label view; label views are written, not materialized", v.Name)
	case v.Kind == registry.OnDemandView && !v.OnDemand.GetSpec().GetWriteToOnlineStore():
		return refuse(fault.Invalid, "on-demand feature view %s is not configured to be written to the online store", v.Name)
	case v.Kind == registry.OnDemandView:
		return refuse(fault.Unimplemented, "on-demand feature view %s is filled by a function, which is not computed here", v.Name)
	case !v.Enabled:
		return refuse(fault.Disabled, "Feature view '%s' is disabled; enable it with `banquet feature-views enable %s`", v.Name, v.Name)
	case !v.Online:
		return refuse(fault.Invalid, "FeatureView %s is not configured to be served online.", v.Name)
	}
	return checkPlain(v)
}

// checkPlain refuses views whose rows are made by code that cannot run here.
func checkPlain(v *registry.View) error {
	refuse := func(why string) error {
		return fault.New(fault.Unimplemented, "feature view %s %s, which banquet does not compute; materialize it with its own engine", v.Name, why).
			About("feature view", v.Name, v.Project)
	}
	switch spec := v.Message.(type) {
	case *core.FeatureView:
		switch {
		case len(spec.GetSpec().GetSourceViews()) > 0:
			return refuse("is defined over other feature views")
		case spec.GetSpec().GetFeatureTransformation() != nil:
			return refuse("is made by a transformation function")
		}
	case *core.StreamFeatureView:
		switch {
		case len(spec.GetSpec().GetAggregations()) > 0:
			return refuse("aggregates a stream")
		case spec.GetSpec().GetFeatureTransformation() != nil || spec.GetSpec().GetUserDefinedFunction() != nil:
			return refuse("is made by a transformation function")
		}
	}
	if v.Batch == nil {
		return fault.New(fault.Invalid, "feature view %s has no batch source to read from", v.Name).
			About("feature view", v.Name, v.Project)
	}
	return nil
}
