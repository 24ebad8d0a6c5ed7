// Package fault defines the one error type of banquet.
//
// A backend or a use case makes a fault where it knows what went wrong. Two
// tables, one in server and one in cmd, map its kind to gRPC codes, HTTP
// statuses and exit codes. No code reads error texts to find out what happened.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is the kind of a failure. The zero Kind is Internal: an error without a
// kind is a bug in banquet.
type Kind uint8

// The kinds of failure.
const (
	Internal        Kind = iota // a bug in banquet; the cause is only logged
	Invalid                     // the caller's request or file is wrong
	NotFound                    // the named object does not exist
	Unauthenticated             // the caller is unknown
	Denied                      // the caller may not do this
	Disabled                    // the object exists and is disabled
	Conflict                    // another writer changed the same object
	Unavailable                 // a dependency cannot be reached or refuses work
	TimedOut                    // the deadline has passed
	Canceled                    // the caller has gone
	Overloaded                  // too much work at once, in banquet or the store
	TooLarge                    // the request has more bytes than the limit
	Unimplemented               // a known request that banquet does not support
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", NotFound: "not found", Unauthenticated: "unauthenticated",
	Denied: "denied", Disabled: "disabled", Conflict: "conflict", Unavailable: "unavailable",
	TimedOut: "timed out", Canceled: "canceled", Overloaded: "overloaded",
	TooLarge: "too large", Unimplemented: "unimplemented",
}

// String names the kind in lower case, as logs and metrics show it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Owner says which part has failed, for every kind of failure.
type Owner uint8

// The owners of failures.
const (
	Request    Owner = iota // the caller's request or file, or banquet itself
	Stored                  // a store of features, online or offline
	Registered              // the registry
)

// Object names what an error is about. Kind is a term in lower case ("feature
// view", "entity", "table"); Project may be empty.
type Object struct {
	Kind, Name, Project string
}

// Reason tells faults of one kind apart where clients have an exception class for
// each of them.
type Reason uint8

// The reasons that some surface reports in its own way.
const (
	NoReason         Reason = iota
	Collision               // two requested features have the same name
	RequestDataUnset        // request data of an on-demand feature view is missing
	VersionUnknown          // the feature view exists, the version does not
	Lookup                  // a name or key does not exist (Python's KeyError)
	TimeUnset               // entity rows have no column of event times
)

// Error is a failure with its kind, the object it is about, one line for the
// user and the cause for the log.
type Error struct {
	Kind   Kind
	Whose  Owner
	Reason Reason
	Object Object
	// Text is one line for the user: what, where, remedy. It contains no secret, no
	// stack trace, and no library's message that may contain either.
	Text string
	// Hint is one more line for people, where Text is in the words of Feast, which its
	// clients read.
	Hint  string
	cause error
}

// New makes a fault whose text is formatted like fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Store makes a fault of a store. It is never the caller's mistake: the caller may not
// even know the store.
func Store(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Whose: Stored, Text: fmt.Sprintf(format, args...)}
}

// Registry makes a fault of the registry.
func Registry(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Whose: Registered, Text: fmt.Sprintf(format, args...)}
}

// About sets the object that the fault is about and returns the fault.
func (e *Error) About(kind, name, project string) *Error {
	e.Object = Object{Kind: kind, Name: name, Project: project}
	return e
}

// For sets the reason and returns the fault.
func (e *Error) For(reason Reason) *Error {
	e.Reason = reason
	return e
}

// Help sets the hint and returns the fault.
func (e *Error) Help(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Because sets the cause, for the log only, and returns the fault.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// Error returns the text for the user, without the cause.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause, so that errors.Is finds what a driver reported.
func (e *Error) Unwrap() error { return e.cause }

// KindOf classifies any error: the kind of the outermost fault in its chain,
// TimedOut and Canceled for context errors, else Internal.
func KindOf(err error) Kind {
	var f *Error
	switch {
	case errors.As(err, &f):
		return f.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Internal
}

// Of returns the outermost fault of an error's chain. A context error becomes a
// fault of its kind, any other error an Internal fault with a fixed text.
func Of(err error) *Error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	switch kind := KindOf(err); kind {
	case TimedOut:
		return New(kind, "the time allowed for the request ran out").Because(err)
	case Canceled:
		return New(kind, "the caller went away").Because(err)
	default:
		return New(Internal, "internal error; the cause is in the log").Because(err)
	}
}

// Cause returns what the log should show: the cause of the outermost fault, or
// the error itself.
func Cause(err error) error {
	var f *Error
	if errors.As(err, &f) && f.cause != nil {
		return f.cause
	}
	return err
}
