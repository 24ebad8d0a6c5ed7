// Package access says who is calling and what they may do. An Identifier runs before
// any of a request is read, and an Authorizer once the request has been decoded.
package access

import (
	"context"
	"crypto/tls"
)

// Request is what is known of a request before it is read.
type Request interface {
	// Header returns the first value of an HTTP header or of a gRPC metadata key; empty
	// if there is none.
	Header(name string) string
	// TLS returns the state of the connection, including the client's certificates; nil
	// without TLS.
	TLS() *tls.ConnectionState
}

// Caller is who is calling. The zero Caller is anonymous.
type Caller struct {
	Name string
}

// Action is what a request wants to do.
type Action struct {
	// Method is the full gRPC method, on every surface.
	Method string
	// Project is the project that the request names; empty is the server's default.
	Project string
}

// Identifier identifies the caller. Its error is an Unauthenticated fault.
type Identifier interface {
	Identify(ctx context.Context, req Request) (Caller, error)
}

// Authorizer decides what a caller may do. Its error is a Denied fault.
type Authorizer interface {
	Authorize(ctx context.Context, caller Caller, action Action) error
}

// Open is no authentication: all callers are anonymous and may do everything.
type Open struct{}

// Identify accepts every caller as anonymous.
func (Open) Identify(context.Context, Request) (Caller, error) { return Caller{}, nil }

// Authorize allows everything.
func (Open) Authorize(context.Context, Caller, Action) error { return nil }
