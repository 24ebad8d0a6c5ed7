package ingest

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// views resolves names with the current registry.
func (m *Materializer) views(ctx context.Context, names []string) ([]*registry.View, error) {
	project, err := m.project(ctx)
	if err != nil {
		return nil, err
	}
	return m.viewsOf(project, names)
}

// viewsOf resolves names. A view that is named twice occurs once in the result.
func (m *Materializer) viewsOf(project *registry.Project, names []string) ([]*registry.View, error) {
	if len(names) == 0 {
		return m.allViews(project)
	}
	views := make([]*registry.View, 0, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		v, err := project.View(name)
		if err != nil {
			return nil, err
		}
		if err := m.checkNamed(project, v); err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// requested resolves the views of a request. old says that they are one view in a version
// that is not its current one.
func (m *Materializer) requested(project *registry.Project, req Request) (views []*registry.View, old bool, err error) {
	if req.Version == nil || len(req.Views) != 1 {
		views, err = m.viewsOf(project, req.Views)
		return views, false, err
	}
	v, err := project.ViewVersion(req.Views[0], *req.Version)
	if err != nil {
		return nil, false, err
	}
	current, err := project.View(v.Name)
	if err != nil {
		return nil, false, err
	}
	if v.TableVersion == current.TableVersion {
		v = current
	}
	if err := m.checkNamed(project, v); err != nil {
		return nil, false, err
	}
	return []*registry.View{v}, v != current, nil
}

// project is the project in the current registry.
func (m *Materializer) project(ctx context.Context) (*registry.Project, error) {
	reg, _, err := m.opt.Storage.Load(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := registry.OpenSnapshot(reg, m.opt.Registry)
	if err != nil {
		return nil, err
	}
	return snapshot.Project(m.opt.Project)
}

// ParseVersion reads the version of a request, with Feast's checks; nil is the current one.
// versioned says that views have a table for each version.
func ParseVersion(version string, views []string, versioned bool) (*int, error) {
	switch {
	case version == "":
		return nil, nil
	case len(views) != 1:
		return nil, fault.New(fault.Invalid, "--version requires --views with exactly one feature view.")
	case !versioned:
		return nil, fault.New(fault.Invalid, "Version-aware materialization requires 'enable_online_feature_view_versioning: true' under 'registry' in feature_store.yaml.")
	}
	parsed, err := registry.ParseVersion(version)
	if err != nil || parsed < 0 {
		return nil, err
	}
	n := int(parsed)
	return &n, nil
}

// Views returns the names of the views that a request materializes, or the error with
// which it would be refused. No names means every view that is served online.
func (m *Materializer) Views(ctx context.Context, req Request) ([]string, error) {
	project, err := m.project(ctx)
	if err != nil {
		return nil, err
	}
	views, _, err := m.requested(project, req)
	if err != nil {
		return nil, err
	}
	list := make([]string, len(views))
	for i, v := range views {
		list[i] = v.Name
	}
	return list, nil
}

// Running returns those of the named views that are being materialized now, by this
// process or another. It knows runs by their records: without Options.Runs, none, and
// never those of on-demand views, which keep no record.
func (m *Materializer) Running(ctx context.Context, names []string) []string {
	now := time.Now() // records have the time of the machine
	var running []string
	for _, name := range names {
		records := m.recordsOf(ctx, &registry.View{Project: m.opt.Project, Name: name})
		if slices.ContainsFunc(records, func(r found) bool { return !r.Ended && !r.Complete && r.alive(now) }) {
			running = append(running, name)
		}
	}
	return running
}

// allViews are the views of a run without names, those of functions last, as in Feast. A
// view that cannot be materialized here is left out with a warning.
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
		if err := m.checkRows(project, v); err != nil {
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
		if err := add(v.GetSpec().GetName()); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// checkNamed refuses a named view that cannot be materialized.
func (m *Materializer) checkNamed(project *registry.Project, v *registry.View) error {
	refuse := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, format, args...).About("feature view", v.Name, v.Project)
	}
	switch {
	case v.Kind == registry.LabelView:
		return refuse(fault.Invalid, "%s is a label view; label views are written, not materialized", v.Name)
	case v.Kind == registry.OnDemandView && !v.OnDemand.GetSpec().GetWriteToOnlineStore():
		return refuse(fault.Invalid, "OnDemandFeatureView %s is not configured for write_to_online_store.", v.Name)
	case !v.Enabled:
		return refuse(fault.Disabled, "Feature view '%s' is disabled; set enabled=True in its definition and run `banquet apply`", v.Name)
	case !v.Online:
		return refuse(fault.Invalid, "FeatureView %s is not configured to be served online.", v.Name)
	}
	return m.checkRows(project, v)
}

// checkRows refuses views whose rows cannot be read or computed here.
func (m *Materializer) checkRows(project *registry.Project, v *registry.View) error {
	if v.Kind == registry.OnDemandView {
		return m.checkComputed(project, v)
	}
	return checkPlain(v)
}

// checkPlain refuses views whose rows are computed by code that cannot run
// here.
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
