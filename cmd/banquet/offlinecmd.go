package main

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/training"
)

// offlineNeed is the need of the remote offline store, for errors.
const offlineNeed = "making training sets"

// serveOfflineCommand serves the remote offline store alone. It needs no online store.
func (a *app) serveOfflineCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve_offline", Short: "Serve training sets and the offline store over Arrow Flight, for offline_store: {type: remote}", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, r, err := a.newOfflineServer(cmd.Context(), &f)
			if err != nil {
				if cmd.Context().Err() != nil {
					return nil // stopped before it has started
				}
				return err
			}
			defer r.close()
			return a.runServer(cmd.Context(), s)
		},
	}
	a.ownShorthand(cmd, "chdir", &a.dir)
	fl := cmd.Flags()
	fl.Bool("help", false, "help for serve_offline") // -h is the host, as in Feast
	fl.StringVarP(&f.host, "host", "h", "127.0.0.1", "address on which Arrow Flight listens")
	fl.IntVarP(&f.grpc, "port", "p", 8815, "port of Arrow Flight; 0 picks a free one")
	fl.StringVar(&f.adminHost, "admin-host", "127.0.0.1", "address on which metrics and health listen")
	fl.IntVar(&f.admin, "admin-port", 0, "port of metrics and health; 0 picks a free one")
	fl.BoolVar(&f.pprof, "pprof", false, "serve profiles on the admin address, even if it is not loopback")
	f.addSecurity(cmd)
	return cmd
}

// newOfflineServer opens the repository and the listeners of serve_offline.
func (a *app) newOfflineServer(ctx context.Context, f *serveFlags) (*server.Server, *repository, error) {
	if !f.allowOffline && !loopback(f.host) {
		return nil, nil, fault.New(fault.Invalid, "serve_offline on %s gives everybody who can reach it access to the offline store; use --allow-offline behind a network policy or a proxy", f.host)
	}
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	security, err := f.tls()
	if err != nil {
		return nil, nil, err
	}
	r, err := a.open(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	if err := cmp.Or(r.config.ProviderBuilt(offlineNeed), r.config.OfflineBuilt(offlineNeed)); err != nil {
		return nil, nil, err
	}
	r.warnOfConfig()
	metrics := newMetrics()
	r.service.metrics = metrics
	holder := a.holder(ctx, r, metrics)
	opt := r.serverOptions(f, holder, metrics)
	opt.TLS, opt.OfflineOnly, opt.HTTP = security, true, ""
	s, err := server.New(ctx, opt)
	if err != nil {
		r.close()
		return nil, nil, err
	}
	return s, r, nil
}

// serverOptions are the options that all servers have.
func (r *repository) serverOptions(f *serveFlags, holder *registry.Holder, metrics *prometheus.Registry) server.Options {
	address := func(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	l := r.config.Banquet.Limits
	unbounded := func(n int) int { return cmp.Or(n, math.MaxInt16) }
	return server.Options{
		Version: version, Project: r.config.Project, Registry: holder,
		GRPC: address(f.host, f.grpc), HTTP: address(f.host, f.port), Admin: address(f.adminHost, f.admin),
		BodyBytes: l.BodyBytes, Concurrency: l.Concurrency, Queue: l.Queue, Versioned: r.config.Registry.Versioned,
		Training: r.lazyTraining(holder), AllowOffline: f.allowOffline,
		OfflineLimits: server.OfflineLimits{
			Concurrency: unbounded(l.OfflineConcurrency), Queue: unbounded(l.OfflineQueue),
			Bytes: cmp.Or(int64(l.OfflineBytes), math.MaxInt64), Timeout: time.Duration(r.config.Banquet.Offline.Timeout),
		},
		PProf: f.pprof || loopback(f.adminHost), Metrics: metrics, Log: r.app.log,
	}
}

// lazyTraining opens the offline store when a request first needs it: a server for online
// features is ready without it. Before each request it checks the registry, so that what a
// client has just applied is known.
func (r *repository) lazyTraining(holder *registry.Holder) func(context.Context) (*training.Service, error) {
	var mu sync.Mutex
	var service *training.Service
	check := newFreshness(holder)
	return func(ctx context.Context) (_ *training.Service, err error) {
		check.now(ctx)
		mu.Lock()
		defer mu.Unlock()
		if service == nil {
			service, err = r.training(holder.Snapshot)
		}
		return service, err
	}
}

// freshness checks whether the registry has changed.
type freshness struct {
	holder *registry.Holder
	turn   chan struct{} // of one check: of those that hang there is one
}

func newFreshness(h *registry.Holder) *freshness {
	return &freshness{holder: h, turn: make(chan struct{}, 1)}
}

// freshTime bounds the wait for the registry, whose file system may hang: its last good
// state is used then.
const freshTime = time.Second

// now checks the registry. A check that began before is not enough: it may have missed what
// the caller has just applied.
func (f *freshness) now(ctx context.Context) {
	t := time.NewTimer(freshTime)
	defer t.Stop()
	select {
	case f.turn <- struct{}{}:
	case <-t.C:
		return
	case <-ctx.Done():
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { <-f.turn }()
		_ = f.holder.Refresh(context.WithoutCancel(ctx)) // the error is in the status and the log
	}()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
	}
}

// training makes the use case of training sets.
func (r *repository) training(snapshots func() *registry.Snapshot) (*training.Service, error) {
	if err := r.config.ProviderBuilt(offlineNeed); err != nil {
		return nil, err
	}
	store, err := r.offlineStore(offlineNeed)
	if err != nil {
		return nil, err
	}
	source, ok := store.(training.Source)
	if !ok {
		return nil, fault.New(fault.Unimplemented, "offline_store.type %s does not make training sets yet", r.config.Offline.Type)
	}
	service, err := r.functions()
	if err != nil {
		return nil, err
	}
	querier, _ := store.(offline.Querier)
	writer, _ := store.(offline.Writer)
	c := &r.config.Banquet.Offline
	return training.New(training.Options{
		Snapshots: snapshots, Project: r.config.Project, Source: source, Querier: querier, Writer: writer,
		Saved: r.savedDataset, Unregistered: c.Unregistered, SQLTimeout: time.Duration(c.SQLTimeout),
		Versioned: r.config.Registry.Versioned, Functions: service,
	}), nil
}

// savedDataset makes the data source for a saved dataset: a table of this name, or a file
// within the repository, which is of Parquet.
func (r *repository) savedDataset(name string) (*core.DataSource, error) {
	out := &core.DataSource{Name: name}
	if r.config.Offline.Type == "postgres" {
		conf, err := json.Marshal(struct {
			Name  string `json:"name"`
			Query string `json:"query"`
			Table string `json:"table"`
		}{Table: name})
		if err != nil {
			return nil, fault.New(fault.Internal, "the name of a table cannot be written").Because(err)
		}
		out.Type = core.DataSource_CUSTOM_SOURCE
		out.Options = &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: conf}}
		return out, nil
	}
	path := name
	if filepath.IsAbs(path) {
		var err error
		if path, err = filepath.Rel(r.config.Dir, path); err != nil {
			path = name
		}
	}
	if !filepath.IsLocal(path) {
		return nil, fault.New(fault.Invalid, "the saved dataset %s is not in the feature repository; give a path in %s", name, r.config.Dir)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case "", ".parquet", ".pq":
	default: // such as .py, which the next apply would read
		return nil, fault.New(fault.Invalid, "the saved dataset %s is a Parquet file; let the name end in .parquet", name)
	}
	out.Type = core.DataSource_BATCH_FILE
	out.Options = &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: path}}
	return out, nil
}
