// Package server is the transports: gRPC services of banquet and of Feast, the
// REST gateway, Feast's HTTP, health, metrics and the loop that runs them. It
// decodes a request, lets a use case answer it, and writes the answer.
package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/access"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/serving"
)

// Writer takes rows into the stores.
type Writer interface {
	Push(ctx context.Context, req *feast.PushRequest) error
	WriteToOnlineStore(ctx context.Context, req *feast.WriteToOnlineStoreRequest) error
}

// Options configure a Server.
type Options struct {
	// Version of banquet.
	Version string
	// Project that is served to requests that name none.
	Project string
	Serving *serving.Service
	// Writer serves what writes; nil is refused as not served.
	Writer Writer
	// Registry is kept up to date while the server runs.
	Registry *registry.Holder
	// Identifier and Authority decide who may do what; nil is everybody everything.
	Identifier access.Identifier
	Authorizer access.Authorizer
	// Addresses to listen on; port 0 picks a free one.
	GRPC, HTTP, Admin string
	// TLS of gRPC and HTTP; nil is none.
	TLS *tls.Config
	// TTL treats expired rows on all surfaces alike; empty is by surface: Feast's
	// HTTP and GrpcFeatureServer ignore the ttl, the others mark.
	TTL string
	// FeastStatus answers Feast's own statuses on Feast's HTTP routes.
	FeastStatus bool
	// BodyBytes bounds the body of a request on every surface.
	BodyBytes int
	// Concurrency bounds the requests under way, Queue those that wait.
	Concurrency, Queue int
	// PProf serves profiles on the admin address.
	PProf   bool
	Metrics *prometheus.Registry
	Log     *slog.Logger
	// DrainTime bounds how long a stopping server waits for its requests.
	DrainTime time.Duration
}

// The treatments of expired rows by surface.
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
