package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/server"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	host, adminHost     string
	port, grpc, admin   int
	insecure, pprof     bool
	allowOffline        bool
	allowWrites         bool
	key, cert, clientCA string
	ignored             struct {
		kind                                                   string
		workers, connections, requests, jitter, keepAlive, ttl int
		noLog, metrics                                         bool
	}
}

func (f *serveFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Bool("help", false, "help for serve") // -h is the host, as in Feast
	fl.StringVarP(&f.host, "host", "h", "127.0.0.1", "address on which gRPC and HTTP listen")
	fl.BoolVar(&f.allowWrites, "allow-writes", false, "offer pushes and writes to the online store beyond loopback; there is no access control yet")
	fl.IntVarP(&f.port, "port", "p", 6566, "port of HTTP; 0 picks a free one")
	fl.IntVar(&f.grpc, "grpc-port", 6565, "port of gRPC; 0 picks a free one")
	fl.StringVar(&f.adminHost, "admin-host", "127.0.0.1", "address on which metrics and health listen")
	fl.IntVar(&f.admin, "admin-port", 6567, "port of metrics and health; 0 picks a free one")
	fl.BoolVar(&f.pprof, "pprof", false, "serve profiles on the admin address, even if it is not loopback")
	f.addSecurity(cmd)
	fl.StringVarP(&f.ignored.kind, "type", "t", "http", "accepted for compatibility with Feast; http and grpc are both served")
	fl.IntVarP(&f.ignored.workers, "workers", "w", 1, "accepted for compatibility with Feast; one process uses all cores")
	fl.IntVar(&f.ignored.connections, "worker-connections", 1000, "accepted for compatibility with Feast")
	fl.IntVar(&f.ignored.requests, "max-requests", 1000, "accepted for compatibility with Feast")
	fl.IntVar(&f.ignored.jitter, "max-requests-jitter", 50, "accepted for compatibility with Feast")
	fl.IntVar(&f.ignored.keepAlive, "keep-alive-timeout", 30, "accepted for compatibility with Feast")
	fl.IntVarP(&f.ignored.ttl, "registry_ttl_sec", "r", 60, "accepted for compatibility with Feast; a change is in use within a second")
	fl.BoolVar(&f.ignored.noLog, "no-access-log", false, "accepted for compatibility with Feast; there is no access log")
	fl.BoolVarP(&f.ignored.metrics, "metrics", "m", false, "accepted for compatibility with Feast; metrics are always served on the admin address")
	for _, name := range []string{"type", "workers", "worker-connections", "max-requests", "max-requests-jitter", "keep-alive-timeout", "registry_ttl_sec", "no-access-log", "metrics"} {
		_ = fl.MarkHidden(name)
	}
}

// addSecurity adds the flags of TLS and of listening beyond loopback.
func (f *serveFlags) addSecurity(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.BoolVar(&f.insecure, "listen-insecure", false, "listen on other addresses than loopback without TLS and authentication")
	fl.BoolVar(&f.allowOffline, "allow-offline", false, "offer training sets, offline writes and materialize beyond loopback; there is no access control yet")
	fl.StringVarP(&f.key, "key", "k", "", "TLS: file of the private key, PEM")
	fl.StringVarP(&f.cert, "cert", "c", "", "TLS: file of the certificate chain, PEM")
	fl.StringVar(&f.clientCA, "client-ca", "", "TLS: file of the authority whose client certificates are required, PEM")
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve features over gRPC and HTTP", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"workers", "worker-connections", "max-requests", "max-requests-jitter", "keep-alive-timeout", "registry_ttl_sec", "no-access-log"} {
				if cmd.Flags().Changed(name) {
					fmt.Fprintf(a.err, "note: --%s has no effect here\n", name)
				}
			}
			s, r, err := a.newServer(cmd.Context(), &f)
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
	f.add(cmd)
	return cmd
}

// runServer says where a server listens and runs it.
func (a *app) runServer(ctx context.Context, s *server.Server) error {
	if err := a.sayListening(s); err != nil {
		return err
	}
	releaseStartupPages()
	pacing, stop := context.WithCancel(ctx)
	defer stop()
	go paceCollector(pacing)
	a.drains()
	return s.Run(ctx)
}

// sayListening prints the server's addresses as one line of JSON.
func (a *app) sayListening(s *server.Server) error {
	at := s.Addresses()
	addresses := map[string]string{"grpc": at.GRPC, "http": at.HTTP, "admin": at.Admin}
	if at.HTTP == "" {
		delete(addresses, "http")
	}
	line, err := json.Marshal(addresses)
	if err != nil {
		return fault.New(fault.Internal, "the addresses cannot be written").Because(err)
	}
	_, err = fmt.Fprintf(a.out, "%s\n", line)
	return err
}

// newServer opens the repository and the listeners. Without a registry, the server
// listens but is not ready until there is one.
func (a *app) newServer(ctx context.Context, f *serveFlags) (*server.Server, *repository, error) {
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
	r.warnOfConfig()
	r.warn(r.config.ServerWarnings())
	metrics := newMetrics()
	r.service.metrics = metrics
	holder := a.holder(ctx, r, metrics)
	service, err := r.serving(ctx, holder.Snapshot, metrics)
	if err != nil {
		r.close()
		return nil, nil, err
	}
	opt := r.serverOptions(f, holder, metrics)
	opt.TLS, opt.Serving, opt.Ready = security, service, r.ready
	opt.Materializer, opt.MaterializeRuns, opt.MaterializeQueue = r.loader().materializer, r.materializeRuns(), r.config.Banquet.Materialize.Queue
	opt.Writer, opt.AllowWrites = r.serverWriter(holder), f.allowWrites
	opt.WriteConcurrency, opt.WriteQueue = r.config.Banquet.Limits.WriteConcurrency, r.config.Banquet.Limits.WriteQueue
	opt.TTL, opt.FeastStatus = r.config.Banquet.Serving.TTL, r.config.Banquet.HTTP.Status == "feast"
	s, err := server.New(ctx, opt)
	if err != nil {
		r.close()
		return nil, nil, err
	}
	return s, r, nil
}

func newMetrics() *prometheus.Registry {
	m := prometheus.NewRegistry()
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// holder makes the holder of the registry and loads it.
func (a *app) holder(ctx context.Context, r *repository, metrics *prometheus.Registry) *registry.Holder {
	h := registry.NewHolder(registry.HolderOptions{Storage: r.storage, Project: r.config.Project, Registry: r.options(), Log: a.log})
	registerHolder(metrics, h)
	if err := h.Refresh(ctx); err != nil {
		a.log.WarnContext(ctx, "nothing is served yet", slog.String("reason", fault.Of(err).Text))
	}
	return h
}

func registerHolder(metrics *prometheus.Registry, h *registry.Holder) {
	metrics.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "banquet_registry_generation", Help: "Generation of the registry in use; it grows with every change."},
			func() float64 { return float64(h.Status().Generation) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "banquet_registry_up", Help: "1 while the registry can be read, 0 while the last good one stays in use."}, func() float64 {
			if h.Status().Err != nil {
				return 0
			}
			return 1
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "banquet_registry_checked_timestamp_seconds", Help: "Time of the last successful check of the registry; it does not change while the storage hangs or fails."},
			func() float64 { return float64(h.Status().Checked.UnixMilli()) / 1000 }))
}

// check refuses ports that do not exist, and to listen without TLS on other addresses than
// loopback by accident.
func (f *serveFlags) check() error {
	for _, port := range []int{f.port, f.grpc, f.admin} {
		if port < 0 || port > 65535 {
			return fault.New(fault.Invalid, "there is no port %d; ports are 0, for a free one, to 65535", port)
		}
	}
	if f.insecure {
		return nil
	}
	hosts := []string{f.adminHost} // the admin surface is never encrypted
	if f.cert == "" {
		hosts = append(hosts, f.host)
	}
	for _, host := range hosts {
		if !loopback(host) {
			return fault.New(fault.Invalid, "listening on %s without TLS and authentication gives access to everybody who can reach it; use --cert and --key, or --listen-insecure behind a network policy or a proxy", host)
		}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *app) healthCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Check whether a server is ready; exit code 0 if so", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return usage("--url %q is not a URL", url)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return fault.New(fault.Unavailable, "%s does not respond", url).Because(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fault.New(fault.Unavailable, "%s responds with %s", url, resp.Status)
			}
			fmt.Fprintln(a.out, "ready")
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:6567/readyz", "URL of the server's readiness")
	return cmd
}
