// Package server contains the transports: the gRPC services of banquet and of Feast,
// the REST gateway, Feast's HTTP routes, health and metrics, and it runs them. It
// decodes a request, calls a use case and encodes the response.
package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/access"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/training"
)

// Options configure a Server.
type Options struct {
	// Version of banquet.
	Version string
	// Project of requests that name none.
	Project string
	Serving *serving.Service
	// Writer handles requests that write; if it is nil, they are refused as not supported.
	Writer Writer
	// Materializer makes the use case that loads rows into the online store of a project,
	// with an observer of its run; if it is nil, materialize is refused as not supported.
	// It is called when it is needed, since it opens the offline store.
	Materializer func(ctx context.Context, project string, o ingest.Observer) (Materializer, error)
	// MaterializeRuns bounds the materializations in progress (0 is 1), MaterializeQueue the
	// asynchronous ones that wait.
	MaterializeRuns, MaterializeQueue int
	// AllowOffline offers training sets, offline writes and materialize also where gRPC or
	// HTTP listen beyond loopback, and AllowWrites pushes and writes to the online store.
	AllowOffline, AllowWrites bool
	// Versioned says that feature views have a table for each version.
	Versioned bool
	// Registry is kept up to date while the server runs.
	Registry *registry.Holder
	// Ready says why the online store cannot be called at all, such as missing credentials;
	// nil if it can. A server that is not ready says so and answers all the same.
	Ready func(context.Context) error
	// Identifier and Authorizer decide who may do what; nil is access.Open.
	Identifier access.Identifier
	Authorizer access.Authorizer
	// Addresses to listen on; port 0 picks a free one.
	GRPC, HTTP, Admin string
	// TLS of gRPC and HTTP; nil means no TLS.
	TLS *tls.Config
	// TTL says what becomes of expired rows, on all surfaces: ignore, mark or null. If it
	// is empty, Feast's HTTP and GrpcFeatureServer ignore the ttl and the others mark.
	TTL string
	// FeastStatus makes Feast's HTTP routes return the statuses of Feast's server.
	FeastStatus bool
	// BodyBytes bounds the body of a request on all surfaces.
	BodyBytes int
	// Concurrency bounds the requests in flight, Queue those that wait. Requests that write
	// do not count: WriteConcurrency and WriteQueue bound them.
	Concurrency, Queue           int
	WriteConcurrency, WriteQueue int
	// Training opens the use case of training sets and of the offline store, when it is
	// first needed; nil refuses its requests.
	Training func(context.Context) (*training.Service, error)
	// OfflineLimits bound the requests of the offline store.
	OfflineLimits OfflineLimits
	// OfflineOnly serves nothing but the offline store, health and the admin routes; there
	// is no HTTP then.
	OfflineOnly bool
	// PProf serves profiles on the admin address.
	PProf   bool
	Metrics *prometheus.Registry
	Log     *slog.Logger
	// DrainTime bounds how long a stopping server waits for requests in flight.
	DrainTime time.Duration
}

// ttl says what becomes of expired rows on a surface with the given default.
func (o *Options) ttl(surface serving.TTL) serving.TTL {
	switch o.TTL {
	case "mark":
		return serving.MarkTTL
	case "ignore":
		return serving.IgnoreTTL
	case "null":
		return serving.NullTTL
	}
	return surface
}

// OfflineLimits bound the requests of the offline store. They are few and take long.
type OfflineLimits struct {
	// Concurrency bounds the requests that run and, apart from these, the uploads that
	// arrive at once; 0 is 4. Queue bounds those that wait for either.
	Concurrency, Queue int
	// Bytes bounds all uploaded tables together, most of which are in temporary files; 0 is
	// 4 GB.
	Bytes int64
	// Timeout bounds one request, and apart from it the upload of its table; 0 means no
	// bound.
	Timeout time.Duration
}

func (l OfflineLimits) withDefaults() OfflineLimits {
	if l.Concurrency <= 0 {
		l.Concurrency = 4
	}
	if l.Bytes <= 0 {
		l.Bytes = 4 << 30
	}
	return l
}

// offlineRefused refuses the offline store and materialize on an address that others than
// this machine can reach: whoever reaches it could read and write all tables of the
// offline store. It returns nil where they are offered.
func (o *Options) offlineRefused(address string) error {
	host, local := hostOf(address)
	if o.AllowOffline || local {
		return nil
	}
	return fault.New(fault.Denied, "training sets, offline writes and materialize are offered on loopback addresses only, and this server listens on %q: there is no access control yet. Start it with --allow-offline to offer them to everybody who can reach it", host)
}

// writesRefused refuses writes to the online store on such an address: whoever reaches it
// could replace the features that models see.
func (o *Options) writesRefused(address string) error {
	host, local := hostOf(address)
	if o.AllowWrites || local {
		return nil
	}
	return fault.New(fault.Denied, "pushes and writes to the online store are offered on loopback addresses only, and this server listens on %q: there is no access control yet. Start it with --allow-writes to offer them to everybody who can reach it", host)
}

// hostOf returns the host of an address, and whether only this machine can reach it.
func hostOf(address string) (host string, local bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host, host == "localhost" || ip != nil && ip.IsLoopback()
}
