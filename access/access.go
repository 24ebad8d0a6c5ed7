// Package access says who is calling and what they may do. Each request passes an
// Identifier before anything of it is read, and an Authorizer once it is known what
// it asks for.
package access

import (
	"context"
	"crypto/tls"
)

// Request is what is known of a request before it is read.
type Request interface {
	// Header gives the first value of a header, or of gRPC's metadata; empty if
	// there is none.
	Header(name string) string
	// TLS is the state of the connection, with the client's certificates; nil
	// without TLS.
	TLS() *tls.ConnectionState
}

// Caller is who is calling. The zero Caller is nobody in particular.
type Caller struct {
	Name string
}

// Action is what a request asks for.
type Action struct {
	// Method is the full gRPC method, whichever surface the request came by.
	Method string
	// Project is the project that the request names; empty is the server's own.
	Project string
}

// Identifier finds out who is calling. An error is an Unauthenticated fault.
type Identifier interface {
	Identify(ctx context.Context, req Request) (Caller, error)
}

// Authorizer decides what a caller may do. An error is a Denied fault.
type Authorizer interface {
	Authorize(ctx context.Context, caller Caller, action Action) error
}

// Open is no authentication: everybody is nobody in particular, who may do
// everything.
type Open struct{}

// Identify takes anybody.
func (Open) Identify(context.Context, Request) (Caller, error) { return Caller{}, nil }

// Authorize allows everything.
func (Open) Authorize(context.Context, Caller, Action) error { return nil }
